// What waits for a peer to read: encoded frames in one buffer that is used again and again, and the descriptors that
// ride on some of them. `Channel` and `BlockingClient` write from it.

package import Posix
package import Wire

/// Frames in the order in which they go out. Bounded by `Channel`, which looks at `pending`.
package struct OutboundQueue: ~Copyable {
    /// Descriptors that ride on the byte at `position`; owned until they are sent.
    private struct Riders {
        var position: Int
        let held: HeldDescriptors
    }

    /// The memory that an idle connection keeps.
    private static let keptCapacity = 65_536

    package init() {}

    private var writer = WireWriter()
    /// Index of the first byte that is not sent.
    private var head = 0
    private var riders: [Riders] = []

    /// Bytes that are not sent.
    package var pending: Int { writer.bytes.count - head }

    /// Encodes a frame at the end. The descriptors are closed when they are sent, or if this throws.
    package mutating func append<Message: WireMessage>(
        _ message: Message, _ header: FrameHeader, limit: Int, fds: consuming FDBundle = FDBundle()
    ) throws(WireError) {
        let position = writer.bytes.count
        try FrameEncoder.append(message, header, limit: limit, to: &writer)
        if !fds.isEmpty { riders.append(Riders(position: position, held: HeldDescriptors(fds))) }
    }

    mutating func appendEmpty(_ header: FrameHeader, limit: Int) throws(WireError) {
        try FrameEncoder.appendEmpty(header, limit: limit, to: &writer)
    }

    /// Writes until all is out (true) or the stream takes no more (false).
    package mutating func flush(
        _ write: (ArraySlice<UInt8>, [Int32]) throws(PosixError) -> WriteOutcome
    ) throws(PosixError) -> Bool {
        while head < writer.bytes.count {
            let (end, held) = piece()
            switch try write(writer.bytes[head..<end], held?.raws ?? []) {
            case .wouldBlock:
                compact()
                return false
            case .bytes(let count):
                head += count
                if held != nil && count > 0 { riders.removeFirst() }
            }
        }
        reset()
        return true
    }

    /// Up to where one write may go, and what rides on its first byte.
    private func piece() -> (Int, HeldDescriptors?) {
        guard let first = riders.first else { return (writer.bytes.count, nil) }
        if first.position > head { return (first.position, nil) }
        return (riders.count > 1 ? riders[1].position : writer.bytes.count, first.held)
    }

    private mutating func reset() {
        head = 0
        // A burst is not kept for ever: there are as many of these as connections.
        writer.bytes.removeAll(keepingCapacity: writer.bytes.capacity <= Self.keptCapacity)
    }

    /// Moves the rest to the front, when that is worth the copy.
    private mutating func compact() {
        guard head > Self.keptCapacity, head > writer.bytes.count / 2 else { return }
        writer.bytes.removeSubrange(0..<head)
        for index in riders.indices { riders[index].position -= head }
        head = 0
    }
}
