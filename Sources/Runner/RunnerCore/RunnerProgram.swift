// What the executable does: its arguments, its exit status.

import CLinux
import CSpawn
import Glibc
import Posix
import Wire

/// `bulkhead-runner <32 hex digits>`: spawnerd starts it as the first process of a container, with the runner's id as
/// its only argument and the container's image in the variable BULKHEAD_IMAGE; everything else it hears from relayd, on
/// stdin.
package enum RunnerProgram {
    /// The runner found no key in its grant: brokerd has begun anew since, and another runner is to be made.
    package static let noKeyStatus: Int32 = 66

    /// The engine stopped the container: what a shell says of a process that SIGTERM has ended.
    package static let stoppedStatus: Int32 = 128 + Signal.terminate

    /// Runs until nothing more is wanted of this runner. Exit status 0, 64 for bad arguments, 66 without a key, 71 if
    /// it cannot begin for another reason, 143 if the engine stopped it.
    package static func main(_ arguments: [String]) -> Never {
        guard arguments.count == 2, let runner = Bytes16(hex: arguments[1]) else {
            fail("usage: bulkhead-runner <runner id: 32 lower-case hex digits>", status: 64)
        }
        var configuration = RunnerConfiguration(runner: runner)
        configuration.image = Posix.environment("BULKHEAD_IMAGE")
        run(configuration)
    }

    /// The same with other surroundings, for tests.
    package static func run(_ configuration: RunnerConfiguration) -> Never {
        // Not the smallest pieces (see CWipe), which a static program cannot reach; its memory is closed, and goes with
        // the container.
        bh_overwrite_freed()
        // Everybody in the container can read them; whoever knows the runner's id could speak as relayd does.
        bh_hide_arguments()
        let key: WipedBytes
        do throws(Refusal) {
            key = try GrantDirectory(configuration.grantDirectory).takeKey()
        } catch {
            fail(error.description, status: noKeyStatus)
        }
        do {
            let runner = try Runner(configuration, key: key)
            try runner.run()
            exit(runner.isStopped ? stoppedStatus : 0)
        } catch {
            fail(error.description, status: 71)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        // If nobody reads stderr, the exit status still speaks.
        try? Posix.writeAll(2, Array("bulkhead-runner: \(message)\n".utf8))
        exit(status)
    }
}
