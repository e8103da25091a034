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

        @Test func aSocketIsTakenOnceAndOnlyIfItListens() async {
            await #expect(processExitsWith: .success) {
                // Numbers 3, 4 and 5 become a listener, a connection and a TCP listener, as `bulkhead up` would leave them.
                let name = "/tmp/bulkhead-test-\(Posix.processID)"
                let listener = try Posix.listenUnix(name, mode: 0o600).release()
                let connected = try Posix.connectUnix(name).release()
                let tcp = try Posix.listenTCP("127.0.0.1", port: 0).release()
                try Posix.unlink(name)
                let lifted = try [listener, connected, tcp].map { try Posix.duplicate($0, atLeast: 100).release() }
                Placement.place(lifted, from: 3)
                Placement.set("LISTEN_FDS", "3")
                Placement.set("LISTEN_PID", "\(Posix.processID)")
                Placement.set("LISTEN_FDNAMES", "relay:stream:http")
                let taken = try Activation.listener("relay")
                #expect(taken.raw == 3)
                #expect(try Posix.accept(taken.raw)?.raw != nil)
                #expect(Placement.isCloseOnExec(3))
                #expect(throws: ActivationError.wrongKind("stream")) { _ = try Activation.listener("stream").raw }
                #expect(throws: ActivationError.missing("relay", passed: ["http"])) {
                    _ = try Activation.listener("relay").raw
                }
                #expect(try Activation.listener("http", .tcp).raw == 5)
            }
        }

        @Test func aListenerOfTheWrongFamilyIsRefused() async {
            await #expect(processExitsWith: .success) {
                let tcp = try Posix.listenTCP("127.0.0.1", port: 0).release()
                Placement.place([try Posix.duplicate(tcp, atLeast: 100).release()], from: 3)
                Placement.set("LISTEN_FDS", "1")
                Placement.set("LISTEN_PID", "\(Posix.processID)")
                Placement.set("LISTEN_FDNAMES", "relay")
                #expect(throws: ActivationError.wrongKind("relay")) { _ = try Activation.listener("relay").raw }
            }
        }
    }
}
