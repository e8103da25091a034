// The producer's end of one stream that a peer has opened.

package import Posix
package import Wire

/// Sends items, then one end. Who drops it without an end has failed it with `internal`. Harmless after the
/// connection is gone. Lives on the loop's thread.
package final class ItemSink<Item: WireMessage> {
    private let channel: Channel
    private let stream: OpenStream
    private let id: UInt64
    private let type: UInt16

    init(_ channel: Channel, _ request: IncomingRequest) {
        self.channel = channel
        id = request.id
        type = request.type
        stream = OpenStream()
        channel.streams.insert(request.id, stream)
    }

    /// Sends an item, or does nothing after the end. Look at `pendingBytes` before making many.
    package func send(_ item: Item) {
        _ = channel.item(id, type, item)
    }

    /// The descriptor is ours until it is sent, then closed.
    package func send(_ item: Item, fd: consuming FileDescriptor) {
        _ = channel.item(id, type, item, FDBundle(fd))
    }

    package func end() {
        channel.end(id, type)
    }

    package func fail(_ failure: Failure) {
        channel.fail(id, type, failure)
    }

    package var isOpen: Bool { stream.isOpen }

    /// Called once when the stream is over, whoever ended it (an `Abandon` by the consumer is an end, too, and sends
    /// it); at once if it is over already.
    package var onClose: (() -> Void)? {
        get { stream.onClose }
        set {
            if stream.isOpen { stream.onClose = newValue } else { newValue?() }
        }
    }

    /// Bytes queued on this connection that the peer has not taken yet.
    package var pendingBytes: Int { stream.isOpen ? channel.outbound.pending : 0 }

    deinit {
        if stream.isOpen { channel.fail(id, type, Failure(.internal, "the producer went away")) }
    }
}
