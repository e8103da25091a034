// A stream of the peer that we serve: what its producer wants to know, apart from the ItemSink, so that a producer that
// drops its sink ends the stream although the channel remembers it.

/// Shared by an ItemSink and its channel.
final class OpenStream {
    private(set) var isOpen = true
    var onClose: (() -> Void)?

    /// The stream is over, whoever ended it. Calls `onClose`, once.
    func close() {
        guard isOpen else { return }
        isOpen = false
        let told = onClose
        onClose = nil
        told?()
    }
}
