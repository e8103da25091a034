// The start-up sequence as a whole, in processes of their own.
import Daemon
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
                    try daemon.confine(keeping: [])
                }
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func aDaemonIsConfinedRunsAndStopsCleanly() async {
            await #expect(processExitsWith: .exitCode(0)) {
                let keys: [Key] = [.defaulted("grace", .int(0...9), "3", "x")]
                Startup.main("test", about: "tests", keys: keys, arguments: []) { daemon in
                    #expect(daemon.configuration.int("grace") == 3)
                    let kept = try Posix.open("/dev/null", .readOnly)
                    let lost = try Posix.open("/dev/null", .readOnly).release()
                    // From here on only a thrown error is seen: the runner of the tests is cut off.
                    try daemon.confine(keeping: [kept.raw], user: ChildUser(uid: 7701, gid: 7702))
                    try #require((try? Posix.fstat(lost)) == nil)
                    try #require(try KernelStatus.field("NoNewPrivs") == "1")
                    try #require(try KernelStatus.field("CapEff") == KernelStatus.none)
                    let loop = try PollLoop()
                    var flushed = false
                    var hooks = 0
                    loop.beforeWait { hooks += 1 }
                    try SignalSelf.send(Signal.terminate)
                    try daemon.run(loop) {
                        flushed = true
                        loop.soon { hooks = 0 }  // the pass in which we stop is finished, hooks included
                    }
                    try #require(flushed)
                    try #require(hooks == 1)
                }
            }
        }
    }
}
