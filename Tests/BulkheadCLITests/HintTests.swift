// What a person is told after the commonest slips.

import BulkheadCLI
import Foundation
import Testing

@Suite struct HintTests {
    @Test(arguments: [
        ("lgo 17", "'lgo' is not known; did you mean 'log'?"), ("project chekc a.yaml", "did you mean 'check'?"),
        ("sumbit job.yaml", "did you mean 'submit'?"), ("secret remove a b", "known are set, ls, rm"),
        ("runers", "did you mean 'runners'?"), ("xyzzy", "known are up, init, submit"),
        ("submit --image a echo hi", "put -- before the command"),
        ("submit --image=a sh -c true", "put -- before the command"),
    ]) func slips(_ line: String, _ says: String) throws {
        let hint = Bulkhead.hint(line.split(separator: " ").map(String.init))
        #expect(hint?.contains(says) == true, "\(hint ?? "nothing")")
    }

    /// There the parser's own words are better.
    @Test(arguments: ["log", "log x", "submit --image a --tiemout 3 -- echo", "help", "--version", "project check", ""])
    func others(_ line: String) {
        #expect(Bulkhead.hint(line.split(separator: " ").map(String.init)) == nil)
    }

    @Test func aSourceThatChanges() {
        let words = """
            tar failed: tar: ./build/a: file changed as we read it
            tar: ./build/b: File removed before we read it
            tar: Exiting with failure status due to previous errors
            """
        let failure = SourceArchive.changed(words)?.description ?? ""
        #expect(failure.contains("./build/a") && failure.contains("git ignore"))
        #expect(!failure.contains("\n") && !failure.contains("./build/b"))
        #expect(SourceArchive.changed("tar failed: tar: ./a: Cannot open: Permission denied") == nil)
    }

    @Test func drainingSaysForWhatItWaits() throws {
        func answer(_ engine: String) throws -> DrainAnswer {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(
                DrainAnswer.self, from: Data(#"{"draining": true, "running": 2, "runners": 3, \#(engine)}"#.utf8))
        }
        let there = try answer(#""engine": "docker 20""#)
        #expect(there.progress(of: [7, 9]) == "2 jobs run (7, 9), 3 runners left")
        let away = try answer(#""engine_detail": "connection refused""#)
        #expect(away.progress.contains("the container engine does not answer"))
    }

    @Test func aDaemonThatCannotStartIsStartedLessAndLessOften() {
        #expect(Supervisor.pause(afterFailures: 0) == .milliseconds(50))
        #expect(Supervisor.pause(afterFailures: 3) == .milliseconds(400))
        #expect(Supervisor.pause(afterFailures: 8) == .seconds(10))
        #expect(Supervisor.pause(afterFailures: 1000) == .seconds(10))
    }

    @Test func theLastLineOfALog() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(LogTail.lastLine(of: file.path) == nil)
        let old = String(repeating: "time=1 level=info msg=old\n", count: 1000)
        try Data((old + "time=2026 level=error msg=\"no \u{1B}[31msuch file\"\n").utf8).write(to: file)
        #expect(LogTail.lastLine(of: file.path) == "level=error msg=\"no \u{FFFD}[31msuch file\"")
        let size = LogTail.size(of: file.path)
        #expect(LogTail.lastLine(of: file.path, after: size) == nil, "an earlier life's")
        #expect(LogTail.lastLine(of: file.path, after: size - 20)?.hasSuffix("such file\"") == true)
    }
}
