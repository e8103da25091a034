// HTTPLimits: the numbers that bound what one stranger's connection can cost. Tests pass shorter deadlines.

import NIOCore

/// Limits of the HTTP side. Sizes in bytes.
package struct HTTPLimits: Sendable {
    /// Request line and all header lines together.
    package var headerBytes = 16 * 1024
    package var headerCount = 100
    /// A body that is not an upload.
    package var bodyBytes = Route.jsonLimit
    /// A webhook's body.
    package var webhookBytes = WebhookRoutes.limit
    /// Of webhooks that are being received, all together; further ones are told to come back (503).
    package var webhookRoom = 64 << 20
    /// Webhooks that are handed on to schedulerd, all together. Each takes a place in the window of the link.
    package var webhooks = 128
    /// From the connection, or from the last answer, to the end of the request's head.
    package var headerDeadline = Duration.seconds(10)
    /// From the head to the end of the body; for an upload, between two pieces of it.
    package var bodyDeadline = Duration.seconds(30)
    /// How long a client may leave what we have sent it unread.
    package var stallDeadline = Duration.seconds(300)
    /// After the last answer of a connection: how long we listen for the client's end, so that it can read that answer.
    package var lingerDeadline = Duration.seconds(2)
    /// For answers that are under way when the service stops.
    package var stopDeadline = Duration.seconds(3)
    /// Connections at the same time; further ones wait in the kernel's backlog.
    package var connections = 1024
    /// Connections that follow a job at the same time; further ones are told to come back (429). Each takes a place in
    /// the window of 1024 on the link to schedulerd, and calls need some, too.
    package var followers = 768

    package init() {}

    /// Descriptors that this many connections may take: a socket and a log or an upload each, and the process's own.
    package static func openFiles(connections: Int) -> UInt64 { UInt64(connections) * 2 + 64 }
}

extension Duration {
    var timeAmount: TimeAmount { TimeAmount(self) }
}
