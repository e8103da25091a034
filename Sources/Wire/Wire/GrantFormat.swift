// What brokerd, which seals a grant, and the runner, which opens it, must say in the same bytes; the messages
// themselves are in proto-spec. They share no other code.

/// The facts of a grant that no schema holds.
package enum GrantFormat {
    /// A step that names this secret gets the token of its job; no secret of a project can be called so.
    package static let jobToken = "bulkhead-job-token"

    /// What a grant is bound to, besides the key.
    package static func associatedData(_ runner: Bytes16) -> [UInt8] {
        Array("bulkhead grant 1".utf8) + runner.array
    }

    /// The bytes whose SHA-256 stands for a definition in orders, tickets and grants: its canonical encoding. Throws if
    /// a field is out of its bounds.
    package static func hashInput(_ definition: JobDefinition) throws(WireError) -> [UInt8] {
        try definition.encoded()
    }
}
