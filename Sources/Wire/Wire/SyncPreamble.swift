// What precedes the first frame of every connection between relayd and the runner, for both ends.
// The engine's attach stream survives either side's restart out of step, so each new relayd says where frames begin:
// magic, the runner's id, a fresh nonce; the runner writes the same 48 bytes back and a new connection starts.

/// The 48 bytes that begin a connection on the runner edge: magic, runner id, nonce, 16 bytes each.
package enum SyncPreamble {
    /// The first 16 bytes.
    package static let magic = Array("BULKHEAD-SYNC-1\n".utf8)
    /// Bytes of the nonce at the end.
    package static let nonceSize = 16

    /// What the runner looks for: the first 32 bytes. The nonce behind it is relayd's choice.
    /// - Parameter runner: 16 bytes, the runner's id.
    package static func marker(runner: [UInt8]) -> [UInt8] { magic + runner }

    /// The whole preamble.
    /// - Parameters:
    ///   - runner: 16 bytes, the runner's id.
    ///   - nonce: 16 bytes, fresh for each connection.
    package static func bytes(runner: [UInt8], nonce: [UInt8]) -> [UInt8] {
        marker(runner: runner) + nonce
    }
}
