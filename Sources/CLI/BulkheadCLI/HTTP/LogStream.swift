// LogStream: a job's log as it grows. It keeps count of the bytes, so that a connection that was lost is taken up again
// where it broke: nothing is printed twice, nothing is left out.

import Foundation
import Synchronization

/// Copies a log to standard output, following it if asked.
struct LogStream: Sendable {
    let client: APIClient
    let job: UInt64
    /// A JSON object for each line instead of the bytes.
    let json: Bool

    /// Prints the log; with `follow`, until the job is finished.
    func copy(follow: Bool) async throws {
        let printer = LogPrinter(job: job, json: json)
        defer { printer.finish() }
        var offset: UInt64 = 0
        var failures = 0
        while true {
            var request = try client.request("GET", "/jobs/\(job)/log", query: follow ? ["follow": "1"] : [:])
            request.timeout = 0
            request.headers["Accept"] = "text/plain"
            if offset > 0 { request.headers["Range"] = "bytes=\(offset)-" }
            do {
                let answer = try await Transfer.run(request) { printer.write($0) }
                // The rest after the last byte: there is none.
                if answer.status != 416 { try client.check(answer) }
                return
            } catch let broken as HTTPFailure {
                failures = broken.streamed > 0 ? 1 : failures + 1
                offset += broken.streamed
                guard follow, failures <= 10 else {
                    throw CommandFailure(broken, of: request, at: client.base, wasSent: broken.wasSent || offset > 0)
                }
                try await Task.sleep(for: .milliseconds(min(2000, 100 << failures)))
            }
        }
    }
}

/// Where the bytes of a log go: to standard output as they are, or as JSON, a line each.
private final class LogPrinter: Sendable {
    private let json: Bool
    private let lines: Mutex<LogLines>

    init(job: UInt64, json: Bool) {
        self.json = json
        lines = Mutex(LogLines(job: job))
    }

    func write(_ part: UnsafeRawBufferPointer) {
        let data = Data(part)
        Terminal.write(json ? lines.withLock { $0.add(data) } : data, to: .standardOutput)
    }

    func finish() {
        Terminal.write(lines.withLock { $0.finish() }, to: .standardOutput)
    }
}
