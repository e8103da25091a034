// runner-fixture <32 hex digits> <directory>: the runner as an ordinary child of a test, with its job and its memory counter in
// <directory> instead of a container.

import RunnerCore
import Wire

let arguments = CommandLine.arguments
guard arguments.count >= 3, let runner = Bytes16(hex: arguments[1]) else {
    RunnerProgram.main([])
}
var configuration = RunnerConfiguration(runner: runner)
configuration.jobDirectory = arguments[2] + "/job"
configuration.temporaryDirectory = arguments[2] + "/tmp"
configuration.memoryEvents = [arguments[2] + "/memory.events"]
if arguments.count > 3 { configuration.shell = arguments[3] }
RunnerProgram.run(configuration)
