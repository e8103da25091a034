// A program that confines itself as a daemon does and then does what it must not. Tests/Sandbox/test_victim.py starts
// it.
//
// It prints `begun`, then what came of it: `done` or `failed ERRNO`; if the sandbox ends it, its status tells. It is
// the only program that can do without a part of the sandbox (`--layers`): a test that cannot fail without it proves
// nothing.

import CVictim
import Daemon
import Glibc
import Posix
import Sandbox

let layers = ["none", "paths", "calls", "both"]
Startup.main(
    "sandbox-victim", about: "confines itself, and then does what it must not",
    keys: [
        .required("profile", .choice(Profile.all.map(\.name)), "Whose profile"),
        .required("act", .string, "What to do; `every-call` tries each system call that the profile lacks"),
        .defaulted("place", .string, "/", "What to do it to: a path, a port, a process"),
        .defaulted("reads", .list, "/nowhere", "Paths that it may read"),
        .defaulted("writes", .list, "/nowhere", "Paths that it may write"),
        .defaulted("layers", .choice(layers), "both", "What of the sandbox there is"),
    ]
) { daemon in
    let settings = daemon.configuration
    guard let profile = Profile.all.first(where: { $0.name == settings.string("profile") }) else { exit(70) }
    let isOut = profile.name == "courierd"
    let (reads, writes) = (settings.list("reads"), settings.list("writes").filter { $0 != "/nowhere" })
    // Standard output is where the tests listen; what they pass at number 3 stays.
    let confine = {
        switch settings.string("layers") {
        case "both":
            try daemon.confine(keeping: [3], profile: profile, reads: reads, writes: writes, connects: isOut)
        case "paths":
            try Sandbox.noNewPrivileges()
            let found = try Sandbox.openOnly(reads: reads, writes: writes, connects: isOut)
            if found != .full { say("landlock \(found)") }
        case "calls":
            try Sandbox.noNewPrivileges()
            let reaction = Reaction(rawValue: settings.string("sandbox")) ?? .kill
            try Sandbox.permitOnly(profile, otherwise: reaction)
        default: break
        }
    }
    if settings.string("act") == "every-call" {
        try EveryCall(profile: profile, confine: confine).run()
        return
    }
    try confine()
    say("begun")
    let result = victim_act(settings.string("act"), settings.string("place"))
    if result == -1000 { exit(64) }
    say(result < 0 ? "failed \(-result)" : "done")
}

/// One line to standard output, at once.
func say(_ line: String) {
    try? Posix.writeAll(1, Array((line + "\n").utf8))
}
