// AppPass: the token that a GitHub App has got for one repository. It holds for an hour, so other errands there go with
// it, too; it is all that courierd remembers, and in locked memory.

import Exchange
import ForgeCalls
import ForgeModel
import Link
import Posix
import RunnerErrands
import Secret
import Wire

final class AppPass {
    let installation: Installation
    /// Milliseconds of the loop's clock.
    let until: UInt64
    private let secret: Secret

    init(_ installation: Installation, _ token: SecretText, until: UInt64) throws(SecretError) {
        self.installation = installation
        self.until = until
        secret = try token.secret()
    }

    /// For one errand.
    func token() throws(SecretError) -> Secret {
        var copy = try Secret(capacity: secret.count)
        try unsafe secret.withBytes { (bytes) throws(SecretError) in try unsafe copy.append(bytes) }
        return copy
    }
}

/// Those that still hold, each with what brokerd says of its project. Another project of the same app has its own: it
/// has to have the key, too.
final class AppPasses {
    struct Key: Hashable {
        let project: String
        let url: String
        let app: String
        let repository: String
        let id: UInt64
    }

    /// GitHub's hold for an hour; an errand takes a quarter of one at most.
    static let lifetime: UInt64 = 40 * 60 * 1000
    /// Each has a page that is locked.
    private static let limit = 64

    private var passes: [Key: AppPass] = [:]

    func pass(_ key: Key, at now: UInt64) -> AppPass? {
        passes = passes.filter { now < $0.value.until }
        return passes[key]
    }

    func keep(_ pass: AppPass, _ key: Key) {
        if passes.count >= Self.limit, let oldest = passes.min(by: { $0.value.until < $1.value.until }) {
            passes[oldest.key] = nil
        }
        passes[key] = pass
    }

    func forget(_ key: Key) { passes[key] = nil }

    func forgetAll() { passes = [:] }
}
