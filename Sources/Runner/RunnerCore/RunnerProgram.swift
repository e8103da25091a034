// What the executable does: its arguments, its exit status.

import Glibc
import Posix
import Wire

/// `bulkhead-runner <32 hex digits>`: spawnerd starts it as the first process of a container, with the runner's id as
/// its only argument; everything else it hears from relayd, on stdin.
package enum RunnerProgram {
    /// Runs until nothing more is wanted of this runner. Exit status 0, 64 for bad arguments, 71 if it cannot begin.
    package static func main(_ arguments: [String]) -> Never {
        guard arguments.count == 2, let runner = Bytes16(hex: arguments[1]) else {
            fail("usage: bulkhead-runner <runner id: 32 lower-case hex digits>", status: 64)
        }
        run(RunnerConfiguration(runner: runner))
    }

    /// The same with other surroundings, for tests.
    package static func run(_ configuration: RunnerConfiguration) -> Never {
        do {
            try Runner(configuration).run()
        } catch {
            fail(error.description, status: 71)
        }
        exit(0)
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        // If nobody reads stderr, the exit status still speaks.
        try? Posix.writeAll(2, Array("bulkhead-runner: \(message)\n".utf8))
        exit(status)
    }
}
