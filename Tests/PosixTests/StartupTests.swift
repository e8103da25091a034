// The start-up sequence as a whole, in processes of their own.
import Daemon
import Files
import Posix
import Sandbox
import Testing

extension Base {
    @Suite struct StartupTests {
        @Test func readinessIsTold() async throws {
            await #expect(processExitsWith: .success) {
                let path = "/tmp/bulkhead-test-\(Posix.processID)"
                let manager = Placement.datagramSocket(path)
                #expect(manager >= 0)
                try Notify.ready()  // nobody asked: nothing happens
                Placement.set("NOTIFY_SOCKET", path)
                try Notify.ready()
                try Posix.unlink(path)
                var buffer = [UInt8](repeating: 0, count: 64)
                #expect(try Posix.read(manager, into: &buffer) == .bytes(7))
                #expect(String(decoding: buffer[..<7], as: UTF8.self) == "READY=1")
                #expect(throws: PosixError.self) { try Notify.ready() }
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func rootDoesNotGetThrough() async {
            await #expect(processExitsWith: .exitCode(1)) {
                Startup.main("test", about: "tests", keys: [], arguments: []) { daemon in
                    try daemon.confineThread(keeping: [])
                }
            }
        }

        @Test func aProcessWithOtherThreadsIsNotTakenForConfined() {
            // The runner of the tests has several.
            let error = #expect(throws: SandboxError.self) { try Sandbox.requireSingleThread() }
            guard case .notConfined = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func aDaemonIsConfinedRunsAndStopsCleanly() async {
            await #expect(processExitsWith: .exitCode(0)) {
                let keys: [Key] = [.defaulted("grace", .int(0...9), "3", "x")]
                Startup.main("test", about: "tests", keys: keys, arguments: []) { daemon in
                    #expect(daemon.configuration.int("grace") == 3)
                    let lost = try Posix.open("/dev/null", .readOnly).release()
                    let keep = try openNumbers().filter { $0 != lost }
                    try Placement.becomeUser(uid: 7701, gid: 7702)
                    try daemon.confineThread(keeping: keep)
                    #expect((try? Posix.fstat(lost)) == nil)
                    #expect(try KernelStatus.field("NoNewPrivs") == "1")
                    #expect(try KernelStatus.field("CapEff") == KernelStatus.none)
                    let loop = try PollLoop()
                    var flushed = false
                    var hooks = 0
                    loop.beforeWait { hooks += 1 }
                    try SignalSelf.send(Signal.terminate)
                    try daemon.run(loop) {
                        flushed = true
                        loop.soon { hooks = 0 }  // the pass in which we stop is finished, hooks included
                    }
                    #expect(flushed)
                    #expect(hooks == 1)
                }
            }
        }
    }
}
