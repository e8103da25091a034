// One row of an edge's table: which message may be sent by whom in which phase, and which descriptors ride with it.
// Link refuses what has no row; the vectors and `decode.py` hold the same table.

/// The two ends of an edge. The client connects, the server accepts; either may be the one that asks.
package enum Side: Hashable, Sendable {
    case client
    case server

    package var other: Side { self == .client ? .server : .client }
}

/// What a descriptor must be. The receiver checks it before use.
package enum FDKind: Hashable, Sendable {
    /// A regular file, opened for reading only.
    case fileRead
    /// The write end of a pipe.
    case pipeWrite
    /// A connected stream socket.
    case streamSocket
}

/// A request's row.
package struct MessageRule: Hashable, Sendable {
    package let type: UInt16
    package let name: String
    /// Who sends the request.
    package let from: Side
    /// Indices into the edge's `phases`.
    package let phases: [UInt8]
    /// The phase after a successful reply; nil: no change.
    package let next: UInt8?
    package let isStream: Bool
    /// The first minor version that has this message.
    package let since: UInt16
    package let requestFDs: [FDKind]
    package let replyFDs: [FDKind]
    package let itemFDs: [FDKind]

    package init(
        type: UInt16, name: String, from: Side, phases: [UInt8], next: UInt8? = nil, isStream: Bool = false,
        since: UInt16 = 0, requestFDs: [FDKind] = [], replyFDs: [FDKind] = [], itemFDs: [FDKind] = []
    ) {
        self.type = type
        self.name = name
        self.from = from
        self.phases = phases
        self.next = next
        self.isStream = isStream
        self.since = since
        self.requestFDs = requestFDs
        self.replyFDs = replyFDs
        self.itemFDs = itemFDs
    }
}
