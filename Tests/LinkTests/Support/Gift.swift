// Descriptors of the kinds that a schema asks for, and of kinds that none does.

import Endpoints
import Files
import Posix
import Wire

/// Open while it lives; `raws` are lent.
final class Gift {
    let raws: [Int32]
    private let held: FDBundle

    init(_ held: consuming FDBundle) {
        raws = held.raws
        self.held = held
    }

    /// nil if there are none to give.
    static func of(_ kinds: [FDKind]) throws -> Gift? {
        if kinds.isEmpty { return nil }
        var held = FDBundle()
        for kind in kinds {
            switch kind {
            case .fileRead: held.append(try Posix.open("/proc/self/cmdline", .readOnly))
            case .pipeWrite: held.append(try Posix.pipe().keepSecond())
            case .streamSocket: held.append(try Posix.socketPair().keepSecond())
            }
        }
        return Gift(held)
    }

    /// Of none of the kinds: directories.
    static func wrong(_ count: Int) throws -> Gift {
        var held = FDBundle()
        for _ in 0..<count { held.append(try Posix.open("/", [.readOnly, .directory])) }
        return Gift(held)
    }
}
