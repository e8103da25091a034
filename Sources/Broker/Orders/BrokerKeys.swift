// Every key of the broker, from one master key. brokerd makes them at its start and after a rotation; the CLI, which
// makes the master key, makes them once for the public half that operators seal to.

package import Crypto
package import FoundationEssentials
package import Wire

/// The keys that one master key stands for. swift-crypto overwrites each of them when its last copy goes.
package struct BrokerKeys: Sendable {
    /// Bytes of a master key.
    package static let masterSize = 32

    /// Seals the store and the values in it.
    package let store: SymmetricKey
    /// Makes the MAC of a ticket.
    package let tickets: SymmetricKey
    /// From which the key of each runner comes.
    package let runners: SymmetricKey
    /// Makes the tokens with which jobs speak for themselves.
    package let jobTokens: SymmetricKey
    /// What orders are sealed to.
    package let exchange: Curve25519.KeyAgreement.PrivateKey

    /// `master` has exactly `masterSize` bytes; they are read and not kept.
    package init(master: some ContiguousBytes) throws(OrderError) {
        let root = SymmetricKey(data: master)
        if root.bitCount != Self.masterSize * 8 { throw .masterKeySize(root.bitCount / 8) }
        store = Self.derive(root, "store")
        tickets = Self.derive(root, "tickets")
        runners = Self.derive(root, "runners")
        jobTokens = Self.derive(root, "job tokens")
        let scalar = Self.derive(root, "orders")
        do {
            exchange = try unsafe scalar.withUnsafeBytes { try unsafe .init(rawRepresentation: $0) }
        } catch {
            throw .refused("no key comes from this master key")  // any 32 bytes make an X25519 key
        }
    }

    /// The broker's public key, as it stands in key files.
    package var publicKey: Bytes32 { exchange.publicKey.bytes }

    private static func derive(_ root: SymmetricKey, _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: root, info: Array("bulkhead broker 1 \(purpose)".utf8), outputByteCount: 32)
    }
}

extension Curve25519.KeyAgreement.PublicKey {
    /// The key as it travels.
    package var bytes: Bytes32 {
        var words: [UInt64] = []
        for start in stride(from: 0, to: 32, by: 8) {
            words.append(rawRepresentation.dropFirst(start).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        }
        return Bytes32(words[0], words[1], words[2], words[3])
    }

    /// A key as it came. Which of them are worth anything is seen when they are used.
    package init(_ bytes: Bytes32) throws(OrderError) {
        do {
            self = try .init(rawRepresentation: bytes.array)
        } catch {
            throw .refused("not an X25519 key")
        }
    }
}
