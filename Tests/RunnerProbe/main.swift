// runner-probe: GitLab's runner protocol as courierd speaks it, without anything that runs a job. The double of GitLab
// is tested with it, and it with the double.
//
//     runner-probe take URL pool|runner JOBS     a person's token is on standard input
//     runner-probe resume URL JOB LOGFILE        the job's token is on standard input
//
// STORE: where artifacts may lie, if not at GitLab itself. ARTIFACT: the file that a job with artifacts leaves behind.
// KEEP_ALIVE: milliseconds after which a silent job says that it is there.

import Exchange
import Files
import GitLabRunner
import Posix

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count == 4, let origin = Origin(arguments[1]) else { throw Wrong(what: "arguments") }
var token = ""
while let line = readLine() { token += line }
let store = Posix.environment("STORE").flatMap { Origin($0) } ?? origin
let house: ProbeHouse
switch arguments[0] {
case "take":
    guard let registration = Registration(rawValue: arguments[2]), let jobs = Int(arguments[3]) else {
        throw Wrong(what: "arguments")
    }
    house = try ProbeHouse(origin, store: store, jobs: jobs)
    house.tokens.person = SecretText(token)
    house.take(registration)
case "resume":
    guard let job = UInt64(arguments[2]) else { throw Wrong(what: "job") }
    house = try ProbeHouse(origin, store: store, jobs: 0)
    house.tokens.jobs[job] = SecretText(token)
    try house.resume(job, arguments[3])
default: throw Wrong(what: "command")
}
house.loop.run()
