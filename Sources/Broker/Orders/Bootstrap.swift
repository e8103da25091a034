// Who may give the first orders: a file that `bulkhead up` writes and that brokerd reads when it has no store yet, and
// never again.
//
//     name admin
//     token <64 hex: SHA-256 of the API token>
//     key <64 hex: the operator's public key>

package import Wire

/// The first operator of a house. Nothing in it is secret; whoever can write it before the first start owns the house.
package struct Bootstrap: Equatable, Sendable {
    package let name: String
    /// `Hashes.token` of the API token.
    package let tokenHash: Bytes32
    /// `KeyFile.publicKey`.
    package let key: Bytes32

    package init(name: String, tokenHash: Bytes32, key: Bytes32) {
        self.name = name
        self.tokenHash = tokenHash
        self.key = key
    }

    package init(parsing text: String) throws(OrderError) {
        let lines = try LineFile(text, expected: ["name", "token", "key"])
        name = try lines.text("name")
        tokenHash = try lines.bytes32("token")
        key = try lines.bytes32("key")
    }

    package var text: String { "name \(name)\ntoken \(tokenHash.hex)\nkey \(key.hex)\n" }
}
