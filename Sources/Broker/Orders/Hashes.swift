// The two hashes that both sides of an order compute.

import Crypto
package import Wire

/// SHA-256 where it names something.
package enum Hashes {
    package static func sha256(_ bytes: [UInt8]) -> Bytes32 {
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in SHA256.hash(data: bytes).enumerated() {
            words[index / 8] = words[index / 8] << 8 | UInt64(byte)
        }
        return Bytes32(words[0], words[1], words[2], words[3])
    }

    /// What brokerd keeps of an API token.
    package static func token(_ token: String) -> Bytes32 {
        sha256(Array(token.utf8))
    }

    /// What an order and a ticket are for. Throws if a field of the definition is out of its bounds.
    package static func definition(_ definition: JobDefinition) throws(WireError) -> Bytes32 {
        sha256(try GrantFormat.hashInput(definition))
    }
}
