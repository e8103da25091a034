// The names that a profile may use for numbers. Only what some profile says is here; the numbers are the kernel's, and
// the same on every architecture that Swift runs on.
import Glibc

enum ProfileWords {
    static let values: [String: Rule.Value] = [
        "AF_INET": .number(UInt32(AF_INET)),
        "AF_INET6": .number(UInt32(AF_INET6)),
        "AF_NETLINK": .number(UInt32(AF_NETLINK)),
        "AF_UNIX": .number(UInt32(AF_UNIX)),
        "CLONE_THREAD": .number(0x10000),
        "FIONREAD": .number(0x541B),
        "F_DUPFD_CLOEXEC": .number(1030),
        "F_GETFL": .number(UInt32(F_GETFL)),
        "F_GETLK": .number(UInt32(F_GETLK)),
        "F_SETFL": .number(UInt32(F_SETFL)),
        "F_SETLK": .number(UInt32(F_SETLK)),
        "PRIO_PROCESS": .number(0),
        "PROT_EXEC": .number(UInt32(PROT_EXEC)),
        "PR_SET_NAME": .number(15),
        "self": .ownProcess,
    ]

    static let errors: [String: Int32] = ["EACCES": EACCES, "ENOSYS": ENOSYS, "EPERM": EPERM]

    static func value(_ word: Substring) -> Rule.Value? {
        UInt32(word).map { .number($0) } ?? values[String(word)]
    }

    static func number(_ word: Substring) -> UInt32? {
        guard case .number(let number) = value(word) else { return nil }
        return number
    }
}
