// Supervisor: forks the daemons, starts again what dies, stops everything cleanly. It reads no message; all it knows is
// the process graph.

import Foundation
import Posix
import Processes

package final class Supervisor {
    private struct Child {
        let compartment: Compartment
        let started: ContinuousClock.Instant
        /// How long its log was then.
        let logStart: UInt64
    }

    private let preparation: Preparation
    private let loop: PollLoop
    private var children: [Int32: Child] = [:]
    private var failures: [Compartment: Int] = [:]
    /// Last lines of logs that have been shown.
    private var lastWords: [Compartment: String] = [:]
    private var stopping = false
    private var refused = false
    /// Who asks the others ends before them: schedulerd has spawnerd remove the runners that wait.
    private static let askers: Set<Compartment> = [.apid, .schedulerd]
    private var theAskedStop = false

    init(_ preparation: Preparation) throws {
        self.preparation = preparation
        loop = try PollLoop()
    }

    /// Returns when everything has stopped.
    func run() throws {
        let site = preparation.site
        for remark in [site.identities.remark] + preparation.grants.remarks where !remark.isEmpty {
            Terminal.note("bulkhead: \(remark)")
        }
        try loop.onSignals([Signal.terminate, Signal.interrupt, Signal.child]) { [self] signal in
            if signal.number != Signal.child { stop() }
            reap()
        }
        for compartment in Compartment.allCases { start(compartment) }
        announceWhenHealthy()
        loop.run()
        for problem in preparation.grants.close() { Terminal.error(problem) }
        Terminal.note("bulkhead: stopped")
        if refused { throw CommandFailure("a daemon refused its settings or its state; see above", exit: .usage) }
    }

    // MARK: Children

    private func start(_ compartment: Compartment) {
        guard !stopping else { return }
        do {
            let logStart = LogTail.size(of: preparation.log(compartment))
            let process = try preparation.start(compartment)
            children[process] = Child(compartment: compartment, started: .now, logStart: logStart)
        } catch {
            Terminal.error("cannot start bulkhead-\(compartment.rawValue): \(error)")
            startLater(compartment)
        }
    }

    /// A daemon that dies at once is not started in a tight loop.
    private func startLater(_ compartment: Compartment) {
        let failure = failures[compartment, default: 0]
        failures[compartment] = failure + 1
        _ = loop.after(Self.pause(afterFailures: failure)) { [self] in start(compartment) }
    }

    /// 50 ms, doubling to 10 s.
    package static func pause(afterFailures count: Int) -> Duration {
        .milliseconds(min(10_000, 50 << min(max(count, 0), 8)))
    }

    /// Why it ended is in its log; said once, and again if it is another line.
    private func tellLastWords(of child: Child, _ log: String) {
        let line = LogTail.lastLine(of: log, after: child.logStart)
        guard let line, line != lastWords[child.compartment] else { return }
        lastWords[child.compartment] = line
        Terminal.note("  the last line of its log: \(line)")
    }

    private func reap() {
        for ended in Posix.reap() {
            guard let child = children.removeValue(forKey: ended.pid) else { continue }
            let name = "bulkhead-\(child.compartment.rawValue)"
            if stopping {
                if children.isEmpty { loop.stop() }
                if !children.values.contains(where: { Self.askers.contains($0.compartment) }) { stopTheAsked() }
                continue
            }
            let log = preparation.log(child.compartment)
            if ended.status == .exited(64) {
                // It does not understand what we tell it, and will not the next time either.
                Terminal.error("\(name) refuses its settings or its state; the last line of \(log) says why")
                tellLastWords(of: child, log)
                refused = true
                return stop()
            }
            Terminal.error("\(name) ended (\(ended.status)); starting it again; its log is \(log)")
            tellLastWords(of: child, log)
            // What somebody kills could have gone on: it is back at once.
            if ContinuousClock.now - child.started > .seconds(2) || ended.status == .signalled(Signal.kill) {
                failures[child.compartment] = 0
            }
            startLater(child.compartment)
        }
    }

    private func stop() {
        guard !stopping else { return }
        stopping = true
        Terminal.note("bulkhead: stopping")
        guard !children.isEmpty else { return loop.stop() }
        terminate(Self.askers.contains)
        loop.after(.seconds(10)) { [self] in stopTheAsked() }
        loop.after(.seconds(15)) { [self] in
            for (process, child) in children {
                Terminal.error("bulkhead-\(child.compartment.rawValue) did not stop in 15 s; killing it")
                signal(process, Signal.kill)
            }
        }
    }

    /// Once: a second signal would have them end at once.
    private func stopTheAsked() {
        guard !theAskedStop else { return }
        theAskedStop = true
        terminate { !Self.askers.contains($0) }
    }

    private func terminate(_ isMeant: (Compartment) -> Bool) {
        for (process, child) in children where isMeant(child.compartment) { signal(process, Signal.terminate) }
    }

    private func signal(_ process: Int32, _ number: Int32) {
        do { try Posix.kill(process, number) } catch { Terminal.error("cannot signal process \(process): \(error)") }
    }

    // MARK: Ready

    /// Says where the API is once it answers. A thread waits, because libcurl does not know this loop.
    private func announceWhenHealthy() {
        let address = preparation.listenAddress
        let token = preparation.site.state + "/admin-token"
        let thread = Thread {
            let request = HTTPRequest(method: "GET", url: "http://\(address)/health", timeout: 5)
            for _ in 0..<300 {
                if let answer = try? Transfer.perform(request), answer.status == 200 {
                    Terminal.note(
                        "bulkhead is ready at http://\(address); the admin token is in \(token), the key beside it")
                    return
                }
                Thread.sleep(forTimeInterval: 0.1)
            }
            Terminal.error("the API at \(address) did not answer within 30 s; see the logs beside \(token)")
        }
        thread.start()
    }
}
