// Words: what brokerd states about something, under a MAC that only it can make. schedulerd keeps them, and cannot
// change them. A ticket is its word on a job: trust is this MAC.

import Crypto
import FoundationEssentials
import Link
import Orders
import Vault
package import Wire

/// A statement with its MAC in it.
protocol Word: WireMessage {
    /// Each kind has a key of its own: none passes for another.
    static var kind: String { get }
    /// Milliseconds for which it holds.
    static var lifetimeMs: Int64 { get }
    var generation: UInt32 { get set }
    var issuedMs: Int64 { get set }
    var mac: Bytes32 { get set }
}

extension Ticket: Word {
    static var kind: String { "ticket" }
    static var lifetimeMs: Int64 { 7 * 24 * 3600 * 1000 }

    /// Grants for one ticket: a job has six attempts at most, and an attempt that is disturbed before it begins gets
    /// another runner. Whoever holds the tickets of others cannot run their jobs for ever.
    package static var grantsAtMost: Int { 32 }
}

extension DeliveryWord: Word {
    static var kind: String { "delivery" }
    /// As long as a held job may wait for somebody to look at it.
    static var lifetimeMs: Int64 { 30 * 24 * 3600 * 1000 }
}

extension ApprovalWord: Word {
    static var kind: String { "approval" }
    static var lifetimeMs: Int64 { 30 * 24 * 3600 * 1000 }
}

extension PermissionWord: Word {
    static var kind: String { "permission" }
    /// A permission is one of this moment.
    static var lifetimeMs: Int64 { 2 * 60 * 1000 }
}

extension SourceWord: Word {
    static var kind: String { "source" }
    /// From the fetching of a source to the job that is made with it; a fault in between begins anew.
    static var lifetimeMs: Int64 { 24 * 3600 * 1000 }
}

extension FileWord: Word {
    static var kind: String { "file" }
    /// From the reading to the job that is made of it: the head of a branch is one of this hour.
    static var lifetimeMs: Int64 { 3600 * 1000 }
}

extension BaseWord: Word {
    static var kind: String { "base" }
    /// As long as the delivery that it completes.
    static var lifetimeMs: Int64 { DeliveryWord.lifetimeMs }
}

extension Broker {
    /// Milliseconds by which clocks and orders may differ from ours.
    static let skewMs: Int64 = 10 * 60 * 1000

    /// The same word, stated now.
    func stated<W: Word>(_ word: W) throws(Failure) -> W {
        var word = word
        (word.generation, word.issuedMs) = (content.generation, now())
        let code = HMAC<SHA256>.authenticationCode(for: try Self.said(word), using: key(of: W.self))
        guard let mac = Bytes32(bytes: Array(code)) else { throw Failure(.internal, "no MAC") }
        word.mac = mac
        return word
    }

    /// Throws `ticket_refused` unless this broker has stated exactly this, under the present master key, and not too
    /// long ago.
    func check<W: Word>(_ word: W, place: String) throws(Failure) {
        // Compared in constant time: how much of a guess was right is told by nothing.
        let isGenuine = HMAC<SHA256>.isValidAuthenticationCode(
            word.mac.array, authenticating: try Self.said(word), using: key(of: W.self))
        guard isGenuine else { throw Failure(.ticketRefused, "its MAC is not ours", place: place) }
        guard word.generation == content.generation else {
            throw Failure(.ticketRefused, "stated before the master key was rotated", place: place)
        }
        let age = now() - word.issuedMs
        guard age <= W.lifetimeMs, -age <= Self.skewMs else {
            throw Failure(.ticketRefused, "it was stated too long ago, or is of a time to come", place: place)
        }
    }

    private func key<W: Word>(of kind: W.Type) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: vault.store.keys.tickets, info: Array("bulkhead word 1 \(kind.kind)".utf8),
            outputByteCount: 32)
    }

    /// What the MAC is over: the canonical bytes with zeros in its own place.
    private static func said(_ word: some Word) throws(Failure) -> [UInt8] {
        var word = word
        word.mac = Bytes32(0, 0, 0, 0)
        do { return try word.encoded() } catch { throw Failure(encoding: error, place: "word") }
    }
}
