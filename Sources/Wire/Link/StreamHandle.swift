// The consumer's end of one stream that we have opened.

/// What `open` returns; needed only by who may lose interest before the end. Dropping it changes nothing. Lives on the
/// loop's thread.
package struct StreamHandle {
    /// nil: the link was down when the stream was opened.
    private let channel: Channel?
    private let request: PendingRequest

    init(_ channel: Channel?, _ request: PendingRequest) {
        self.channel = channel
        self.request = request
    }

    /// The items are no longer wanted. From here on neither `onItem` nor `onEnd` is called, also when this is called
    /// from one of them; both are let go of. The other side stops, and the stream's place in the window is free when it
    /// has said so. Harmless after the end, a second time, and when the connection is gone.
    package func abandon() {
        request.silence()
        channel?.abandon(request)
    }
}
