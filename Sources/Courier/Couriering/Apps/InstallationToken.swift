// InstallationToken: what a GitHub App has got for one repository. It holds for an hour, so other errands there go with
// it, too; it is all that courierd remembers, and in locked memory.

import Exchange
import ForgeCalls
import ForgeModel
import Link
import Posix
import RunnerErrands
import Secret
import Wire

final class InstallationToken {
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
    func copy() throws(SecretError) -> Secret {
        var copy = try Secret(capacity: secret.count)
        try unsafe secret.withBytes { (bytes) throws(SecretError) in try unsafe copy.append(bytes) }
        return copy
    }
}

/// Those that still hold, each with what brokerd says of its project. Another project of the same app has its own: it
/// has to have the key, too.
final class InstallationTokens {
    struct Key: Hashable {
        let project: String
        let url: String
        let app: String
        /// As the rules have it, and nobody else.
        let id: UInt64
        let path: String

        var repository: Repository { Repository(id: id, path: path) }
    }

    /// Milliseconds. GitHub's hold for an hour; an errand takes a quarter of one at most.
    static let lifetime: UInt64 = 40 * 60 * 1000
    /// Each has a page that is locked.
    private static let limit = 64

    private let loop: PollLoop
    private var tokens: [Key: InstallationToken] = [:]

    init(_ loop: PollLoop) { self.loop = loop }

    subscript(_ key: Key) -> InstallationToken? { tokens[key].flatMap { loop.milliseconds < $0.until ? $0 : nil } }

    func keep(_ token: InstallationToken, _ key: Key) {
        if tokens.count >= Self.limit, let oldest = tokens.min(by: { $0.value.until < $1.value.until }) {
            tokens[oldest.key] = nil
        }
        tokens[key] = token
        loop.after(.milliseconds(Int64(Self.lifetime))) { [weak self, weak token] in
            if let token { self?.forget(token, key) }
        }
    }

    /// Unless another one has taken its place.
    func forget(_ token: InstallationToken, _ key: Key) {
        if tokens[key] === token { tokens[key] = nil }
    }

    func forgetAll() { tokens = [:] }
}
