// One boundary between two processes, as its schema file describes it. What a frame must be by it is Link's to check.

/// Generated for every edge of `proto-spec`.
package protocol WireEdge: SendableMetatype {
    /// The file's name without `.wire`; also the name of the socket.
    static var name: String { get }
    static var number: UInt8 { get }
    static var major: UInt16 { get }
    /// The highest minor version that this build speaks; it speaks all from 0.
    static var minor: UInt16 { get }
    /// The most that a length word may say, in bytes.
    static var frameLimit: Int { get }
    static var client: Role { get }
    static var server: Role { get }
    /// Names of the phases; a connection begins in the first.
    static var phases: [String] { get }
    /// SHA-256 of the canonical schema, as in versions.lock.
    static var schemaHash: String { get }
    /// By ascending type.
    static var rules: [MessageRule] { get }
}
