// Interruption: Ctrl-C while a person watches a job. It ends the watching, not the job, and says how to do either.

import Dispatch
import Foundation

/// In force while it lives.
final class Interruption {
    private let source: any DispatchSourceSignal

    init(job: UInt64, json: Bool) {
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            let failure = CommandFailure(
                "job \(job) goes on: `bulkhead cancel \(job)` ends it, `bulkhead log \(job) -f` follows it again",
                exit: .interrupted)
            // Below the ^C that a terminal shows.
            let start = Terminal.isErrorTerminal ? "\n" : ""
            Terminal.note(json ? failure.json : start + failure.description)
            // Other threads are in the middle of their work: nothing of it is to be waited for.
            _exit(failure.exit.rawValue)
        }
        source.resume()
    }

    deinit { source.cancel() }
}
