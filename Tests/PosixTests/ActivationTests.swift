import Daemon
import Endpoints
import Files
import Posix
import Testing

extension Base {
    @Suite struct ActivationTests {
        private func passed(_ variables: [String: String], pid: Int32 = 42) throws(ActivationError) -> [String: Int32] {
            try Activation.passed(to: pid) { variables[$0] }
        }

        @Test func namesBecomeNumbers() throws {
            let found = try passed(["LISTEN_FDS": "2", "LISTEN_PID": "42", "LISTEN_FDNAMES": "relay:stream"])
            #expect(found == ["relay": 3, "stream": 4])
        }

        @Test(arguments: [
            [:], ["LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"],
            ["LISTEN_FDS": "2", "LISTEN_PID": "41", "LISTEN_FDNAMES": "a:b"],
            ["LISTEN_FDS": "0", "LISTEN_PID": "42"], ["LISTEN_FDS": "-1", "LISTEN_PID": "42"],
            ["LISTEN_FDS": "99999", "LISTEN_PID": "42"],
            ["LISTEN_FDS": "2", "LISTEN_PID": "42", "LISTEN_FDNAMES": "a"],
            ["LISTEN_FDS": "2", "LISTEN_PID": "42", "LISTEN_FDNAMES": "a:a"], ["LISTEN_FDS": "2", "LISTEN_PID": "42"],
        ]) func whatMakesNoSenseIsRefused(variables: [String: String]) {
            let error = #expect(throws: ActivationError.self) { try passed(variables) }
            guard case .notActivated = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }

        /// Not by their numbers: 3 and those behind it may be the test runner's own.
        @Test func aSocketIsGoodIfItListens() throws {
            let name = "/tmp/bulkhead-test-\(Posix.processID)"
            let listener = try Activation.checked(try Posix.listenUnix(name, mode: 0o600), "relay", .unix)
            let connected = try Posix.connectUnix(name).release()
            try Posix.unlink(name)
            #expect(Placement.isCloseOnExec(listener.raw))
            #expect(try Posix.accept(listener.raw)?.raw != nil)
            #expect(throws: ActivationError.wrongKind("stream")) {
                _ = try Activation.checked(FileDescriptor(owning: connected), "stream", .unix).raw
            }
            _ = try Activation.checked(try Posix.listenTCP("127.0.0.1", port: 0), "http", .tcp).raw
            #expect(throws: ActivationError.wrongKind("relay")) {
                _ = try Activation.checked(try Posix.listenTCP("127.0.0.1", port: 0), "relay", .unix).raw
            }
        }

        @Test func whatWasNotPassedIsMissing() async {
            await #expect(processExitsWith: .success) {
                Placement.set("LISTEN_FDS", "2")
                Placement.set("LISTEN_PID", "\(Posix.processID)")
                Placement.set("LISTEN_FDNAMES", "relay:http")
                #expect(throws: ActivationError.missing("stream", passed: ["http", "relay"])) {
                    _ = try Activation.listener("stream").raw
                }
            }
        }
    }
}
