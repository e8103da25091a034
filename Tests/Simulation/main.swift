// simulate: schedulerd, its protocol and a model of everything around it in one process, in virtual time, with faults.
//
//     simulate --seeds N [--first N]      runs seeds one after another; the first that goes wrong is named, and the
//                                         status is 1
//     simulate --seconds N [--first N]    as many as fit
//     simulate --seed N [--trace]         one, again, exactly as before
//
// The same seed is the same run, down to the order of every message: sets and dictionaries are made to have an order.

import Glibc
import Posix

struct Options {
    var first: UInt64 = 1
    var count = 1000
    var seconds: UInt64?
    var isTraced = false

    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--trace" {
                isTraced = true
                continue
            }
            guard let value = rest.popFirst().flatMap({ UInt64($0) }) else { Self.usage() }
            switch option {
            case "--seed": (first, count) = (value, 1)
            case "--first": first = value
            case "--seeds": count = Int(clamping: value)
            case "--seconds": (seconds, count) = (value, .max)
            default: Self.usage()
            }
        }
    }

    private static func usage() -> Never {
        print("usage: simulate [--seed N [--trace] | --seeds N | --seconds N] [--first N]")
        exit(64)
    }
}

/// Hashing that is the same in every process is a matter of the environment, before anything is hashed.
func startAgainWithFixedHashing() {
    if getenv("SWIFT_DETERMINISTIC_HASHING") != nil { return }
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    execv("/proc/self/exe", &arguments)
    perror("simulate: cannot start itself")
    exit(1)
}

startAgainWithFixedHashing()
let options = Options(Array(CommandLine.arguments.dropFirst()))
exit(try Campaign(options).run())
