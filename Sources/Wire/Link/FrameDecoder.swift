// Cuts a stream of bytes into frames. No I/O: `Channel` and `BlockingClient` read into it, tests and the fuzzer feed
// it.
//
// Descriptors ride on the first byte of their frame. A read tells us which bytes it brought and which descriptors, not
// on which of the bytes they rode; the kernel ends a read behind the piece that brought descriptors. So descriptors
// of a read belong to the frames that *begin* in it, in order, and what no frame claims is a violation: nobody parks
// descriptors with us.

package import Posix
package import Wire

/// Incremental; holds at most one unfinished frame. After it has thrown, the stream is lost.
package struct FrameDecoder: ~Copyable {
    /// Room for many control frames; grown, once, only for a frame whose length has passed the check.
    private static let initialSize = 16_384
    private static let leastRoom = 4_096

    /// The bytes behind the ranges of frames. Valid until the next `fill` or `feed`.
    package private(set) var buffer: [UInt8] = []
    private var start = 0
    private var end = 0
    /// Where the bytes of the last read begin.
    private var readStart = 0
    private let limit: Int

    /// The header of a frame whose body is not here yet, and what came with it.
    private var header: FrameHeader?
    private var claimed = FDBundle()
    private var claimIsComplete = true
    /// Descriptors of the last read that no frame has claimed yet.
    private var fresh = FDBundle()
    /// Those of an earlier read, in which an unfinished header began.
    private var early = FDBundle()

    /// `limit`: the most that a length word may say.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Bytes that are here and belong to no finished frame.
    package var unfinished: Int { end - start }

    /// Bytes of the buffer: what a peer made us hold.
    package var capacity: Int { buffer.count }

    /// Reads once, behind what is here. To be called when `next` has said nil.
    package mutating func fill(
        _ read: (inout [UInt8], Int, inout FDBundle) throws(PosixError) -> ReadOutcome
    ) throws(PosixError) -> ReadOutcome {
        makeRoom(atLeast: Self.leastRoom)
        beginRead()
        let outcome = try read(&buffer, end, &fresh)
        if case .bytes(let count) = outcome { end += count }
        return outcome
    }

    /// One read's worth of bytes from memory, and the descriptors that came with it.
    package mutating func feed(_ bytes: ArraySlice<UInt8>, fds: consuming FDBundle = FDBundle()) {
        makeRoom(atLeast: bytes.count)
        beginRead()
        swap(&fresh, &fds)
        buffer.replaceSubrange(end..<end + bytes.count, with: bytes)
        end += bytes.count
    }

    /// The next whole frame; nil: read more.
    package mutating func next() throws(WireError) -> Frame? {
        guard let header = try currentHeader(), end - start >= header.bodyLength else {
            try refuseStrays()
            return nil
        }
        self.header = nil
        let body = start..<start + header.bodyLength
        start = body.upperBound
        var fds = FDBundle()
        swap(&fds, &claimed)
        return Frame(header: header, body: body, fds: fds, fdsAreComplete: claimIsComplete)
    }
}

extension FrameDecoder {
    private mutating func currentHeader() throws(WireError) -> FrameHeader? {
        if let header { return header }
        if end - start < FrameHeader.size { return nil }
        var reader = WireReader(buffer[start..<start + FrameHeader.size])
        let header = try FrameHeader(from: &reader, limit: limit)
        let beganEarlier = start < readStart
        start += FrameHeader.size
        claim(header, beganEarlier)
        self.header = header
        return header
    }

    /// Takes the frame's descriptors from those of the read in which it began.
    private mutating func claim(_ header: FrameHeader, _ beganEarlier: Bool) {
        let count = Int(header.fdCount)
        if beganEarlier {
            claimed = early.takeFirst(count)
            // All of that read's belong to this frame: nothing else began there.
            claimIsComplete = claimed.count == count && early.isEmpty
            return
        }
        if count > 0 { claimed = fresh.takeFirst(count) }
        // The last frame to begin in this read leaves nothing: it is refused before anybody acts on it.
        let isLast = end - start <= header.bodyLength
        claimIsComplete = claimed.count == count && (fresh.isEmpty || !isLast)
    }

    /// Called when all frames of a read are out. Unclaimed descriptors can only belong to a header that began in it.
    private mutating func refuseStrays() throws(WireError) {
        if fresh.isEmpty { return }
        let mayBeClaimed = header == nil && start >= readStart && start < end
        if !mayBeClaimed { throw .wrongFDs(UInt8(clamping: fresh.count)) }
    }

    private mutating func beginRead() {
        readStart = end
        if fresh.isEmpty { return }
        var arrived = FDBundle()
        swap(&arrived, &fresh)
        early.append(contentsOf: arrived)
    }

    /// Makes at least `least` bytes of room, or what the unfinished frame lacks. Never more than its checked length.
    private mutating func makeRoom(atLeast least: Int) {
        if start == end {
            start = 0
            end = 0
        }
        let lacking = header.map { $0.bodyLength - (end - start) } ?? 0
        let wanted = max(least, lacking)
        if buffer.count - end >= wanted { return }
        if start > 0 {
            let gap = start
            buffer.removeSubrange(0..<gap)
            buffer.append(contentsOf: repeatElement(0, count: gap))
            start = 0
            end -= gap
        }
        let size = max(Self.initialSize, end + wanted)
        if buffer.count < size { buffer.append(contentsOf: repeatElement(0, count: size - buffer.count)) }
    }
}
