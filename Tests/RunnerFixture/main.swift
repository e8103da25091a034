// runner-fixture <32 hex digits> <directory> [name=value...]: the runner as an ordinary child of a test, with its job,
// its grant and its memory counter in <directory> instead of a container. shell=PATH; arrival=MS and wipe=MS, how long
// it waits for the grant; hold=MS, how long an unfinished line waits.

import RunnerCore
import Wire

let arguments = CommandLine.arguments
guard arguments.count >= 3, let runner = Bytes16(hex: arguments[1]) else {
    RunnerProgram.main([])
}
var configuration = RunnerConfiguration(runner: runner)
configuration.jobDirectory = arguments[2] + "/job"
configuration.temporaryDirectory = arguments[2] + "/tmp"
configuration.grantDirectory = arguments[2] + "/grant"
configuration.memoryEvents = [arguments[2] + "/memory.events"]
configuration.image = "test"
for argument in arguments.dropFirst(3) {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { continue }
    switch parts[0] {
    case "shell": configuration.shell = parts[1]
    case "arrival": configuration.grantLimits.arrival = UInt64(parts[1]) ?? 0
    case "hold": configuration.lineHold = .milliseconds(Int(parts[1]) ?? 0)
    case "wipe": configuration.grantLimits.wipe = UInt64(parts[1]) ?? 0
    default: RunnerProgram.main([])
    }
}
RunnerProgram.run(configuration)
