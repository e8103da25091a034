// PolicyRevision: which rules held when somebody decided something.

package struct PolicyRevision: Hashable, Sendable {
    /// SHA-256 of `Project.canonicalBytes`.
    package let digest: [UInt8]

    package init(digest: [UInt8]) { self.digest = digest }
}
