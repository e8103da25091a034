// An operator's key file (`admin-key`, 0600). The CLI makes and reads it; brokerd only ever sees the public half.
//
//     bulkhead-key-1
//     name admin
//     broker <64 hex: the broker's public key>
//     private <64 hex: the operator's own X25519 key>

package import Crypto
package import Wire

/// What lets somebody give orders: a key of their own, and the broker's public one.
package struct KeyFile: Sendable {
    private static let firstLine = "bulkhead-key-1"

    package let name: String
    /// The broker's public key.
    package let broker: Bytes32
    package let key: Curve25519.KeyAgreement.PrivateKey

    /// A new key for `name` (1 to 64 printable characters without space).
    package static func generate(name: String, broker: Bytes32) -> KeyFile {
        KeyFile(name: name, broker: broker, key: .init())
    }

    private init(name: String, broker: Bytes32, key: Curve25519.KeyAgreement.PrivateKey) {
        self.name = name
        self.broker = broker
        self.key = key
    }

    /// Reads the file's text. Errors say which line, and never what stands in it.
    package init(parsing text: String) throws(OrderError) {
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        if parts[0] != Self.firstLine { throw .badFile(line: 1, "a key file begins with the line \(Self.firstLine)") }
        let lines = try LineFile(
            parts.count > 1 ? parts[1] : "", expected: ["name", "broker", "private"], firstLine: 2)
        name = try lines.text("name")
        broker = try lines.bytes32("broker")
        do {
            key = try .init(rawRepresentation: try lines.bytes32("private").array)
        } catch let error as OrderError {
            throw error
        } catch {
            throw .badFile(line: 0, "'private' is not a key")
        }
    }

    package var publicKey: Bytes32 { key.publicKey.bytes }

    /// The file's text, private key and all.
    package var text: String {
        let secret = Hex.encode(Array(key.rawRepresentation))
        return "\(Self.firstLine)\nname \(name)\nbroker \(broker.hex)\nprivate \(secret)\n"
    }
}
