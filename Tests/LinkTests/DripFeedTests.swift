// However a stream is cut, it means the same: whole, in two at every byte, byte by byte, in odd pieces. In the manner
// of ByteToMessageDecoderVerifier, with descriptors on the first byte of their frames.

import Endpoints
import Files
import Link
import Posix
import Testing
import Wire

/// What a decoder made of a stream. Descriptors are known by their inodes.
private struct Transcript: Equatable {
    struct Entry: Equatable {
        let header: FrameHeader
        let body: [UInt8]
        let inodes: [UInt64]
        let isComplete: Bool
    }
    var entries: [Entry] = []
    var error: WireError?
}

private struct Stream {
    var bytes: [UInt8] = []
    /// Where frames with descriptors begin.
    var riders: [(offset: Int, gift: Gift)] = []

    mutating func append(_ frame: RawFrame) {
        if let gift = frame.gift { riders.append((bytes.count, gift)) }
        bytes += frame.bytes
    }

    func fds(in range: Range<Int>) throws -> FDBundle {
        var bundle = FDBundle()
        for rider in riders where range.contains(rider.offset) {
            for raw in rider.gift.raws { bundle.append(try Posix.duplicate(raw)) }
        }
        return bundle
    }

    /// Ends of pieces: always of the whole stream.
    func pieces(_ size: Int) -> [Range<Int>] {
        stride(from: 0, to: bytes.count, by: size).map { $0..<min($0 + size, bytes.count) }
    }
}

private func inodes(_ bundle: borrowing FDBundle) throws -> [UInt64] {
    try bundle.raws.map { try Posix.fstat($0).inode }
}

/// Takes what the decoder has; false once it has thrown.
private func drain(_ decoder: inout FrameDecoder, _ transcript: inout Transcript) throws -> Bool {
    do throws(WireError) {
        while let frame = try decoder.next() {
            let entry = try? Transcript.Entry(
                header: frame.header, body: Array(decoder.buffer[frame.body]), inodes: inodes(frame.fds),
                isComplete: frame.fdsAreComplete)
            if let entry { transcript.entries.append(entry) }
        }
        return true
    } catch {
        transcript.error = error
        return false
    }
}

private func decode(_ stream: Stream, _ pieces: [Range<Int>], limit: Int = 65_536) throws -> Transcript {
    var decoder = FrameDecoder(limit: limit)
    var transcript = Transcript()
    for piece in pieces {
        decoder.feed(stream.bytes[piece], fds: try stream.fds(in: piece))
        if try !drain(&decoder, &transcript) { break }
    }
    return transcript
}

/// Every way to cut a stream must come to what the whole comes to.
private func verify(_ stream: Stream, _ name: String) throws -> Transcript {
    let whole = try decode(stream, [0..<stream.bytes.count])
    for cut in 1..<stream.bytes.count {
        let transcript = try decode(stream, [0..<cut, cut..<stream.bytes.count])
        #expect(transcript == whole, "\(name) cut at \(cut)")
    }
    for size in [1, 2, 3, 7, 19, 20, 21, 33] {
        #expect(try decode(stream, stream.pieces(size)) == whole, "\(name) in pieces of \(size)")
    }
    return whole
}

extension LinkTests {
    @Suite struct DripFeed {
        private func goodStream() throws -> Stream {
            var stream = Stream()
            stream.append(RawFrame(1, .control, id: 0, body: Array(0..<33)))
            stream.append(RawFrame(2, .request, id: 1))
            stream.append(RawFrame(3, .request, id: 2, body: [1, 2, 3], gift: try .of([.pipeWrite])))
            stream.append(RawFrame(3, .request, id: 3, gift: try .of([.streamSocket, .fileRead])))
            stream.append(RawFrame(4, .item, id: 9, body: [UInt8](repeating: 7, count: 90)))
            stream.append(RawFrame(5, .end, id: 9))
            return stream
        }

        @Test func framesWithDescriptors() throws {
            let stream = try goodStream()
            let open = try openDescriptors()
            let whole = try verify(stream, "good")
            #expect(whole.error == nil)
            #expect(whole.entries.count == 6)
            #expect(whole.entries.map(\.isComplete) == Array(repeating: true, count: 6))
            #expect(whole.entries.map(\.inodes.count) == [0, 0, 1, 2, 0, 0])
            let after = try withExtendedLifetime(stream) { try openDescriptors() }
            #expect(after == open)
        }

        @Test func overARealSocket() throws {
            let stream = try goodStream()
            let whole = try decode(stream, [0..<stream.bytes.count])
            for cut in 1..<stream.bytes.count {
                #expect(try throughASocket(stream, [0..<cut, cut..<stream.bytes.count]) == whole, "cut at \(cut)")
            }
            #expect(try throughASocket(stream, stream.pieces(1)) == whole)
        }

        /// A sender that puts descriptors on the first byte of their frame, and pieces wherever it likes.
        private func throughASocket(_ stream: Stream, _ pieces: [Range<Int>]) throws -> Transcript {
            let pair = try Posix.socketPair()
            var starts = pieces.map(\.lowerBound) + stream.riders.map(\.offset)
            starts = Array(Set(starts)).sorted()
            for (index, start) in starts.enumerated() {
                let end = index + 1 < starts.count ? starts[index + 1] : stream.bytes.count
                let fds = try stream.fds(in: start..<start + 1)
                let sent = try Posix.sendMessage(pair.first.raw, stream.bytes[start..<end], fds: fds.raws)
                #expect(sent == .bytes(end - start))
            }
            var decoder = FrameDecoder(limit: 65_536)
            var transcript = Transcript()
            let raw = pair.second.raw
            while true {
                let outcome = try decoder.fill { (buffer, offset, fds) throws(PosixError) in
                    try Posix.receiveMessage(raw, into: &buffer, at: offset, fds: &fds)
                }
                guard case .bytes = outcome, try drain(&decoder, &transcript) else { return transcript }
            }
        }

        @Test func brokenStreamsBreakAlike() throws {
            func broken(_ change: (inout RawFrame) -> Void) throws -> Stream {
                var frame = RawFrame(2, .request, id: 1, body: [1, 2])
                var stream = Stream()
                stream.append(frame)
                change(&frame)
                stream.append(frame)
                return stream
            }
            #expect(try verify(broken { $0.length = 0 }, "length 0").error == .frameLength(0))
            #expect(try verify(broken { $0.length = 15 }, "length 15").error == .frameLength(15))
            #expect(try verify(broken { $0.length = 65_537 }, "too large").error == .frameTooLarge(65_537))
            #expect(try verify(broken { $0.length = .max }, "2^32-1").error == .frameTooLarge(.max))
            #expect(try verify(broken { $0.kind = 0 }, "kind 0").error == .frameKind(0))
            #expect(try verify(broken { $0.kind = 9 }, "kind 9").error == .frameKind(9))
            let missing = try verify(broken { $0.fdCount = 2 }, "no descriptors")
            #expect(missing.error == nil)
            #expect(missing.entries.map(\.isComplete) == [true, false])
            // The control: what all of them are changes of.
            #expect(try verify(broken { _ in }, "good").error == nil)
        }

        /// Descriptors that come with the middle of a frame belong to nobody.
        @Test func descriptorsInTheMiddle() throws {
            let frame = RawFrame(2, .request, id: 1, body: Array(0..<9), gift: try .of([.pipeWrite]))
            let bytes = frame.bytes
            let open = try openDescriptors()
            for cut in 1..<bytes.count {
                var stream = Stream()
                stream.bytes = bytes
                if let gift = frame.gift { stream.riders = [(cut, gift)] }
                let transcript = try decode(stream, [0..<cut, cut..<bytes.count])
                let isRefused = transcript.error != nil || transcript.entries.allSatisfy { !$0.isComplete }
                #expect(isRefused, "descriptor at byte \(cut)")
                stream.riders[0].offset = 0
                let control = try decode(stream, [0..<cut, cut..<bytes.count])
                #expect(control.entries.map(\.isComplete) == [true])
            }
            let after = try withExtendedLifetime(frame) { try openDescriptors() }
            #expect(after == open)
        }

        /// A length that is refused makes no room; one that is not, as much as it says.
        @Test func memoryFollowsTheCheckedLength() throws {
            var decoder = FrameDecoder(limit: 1 << 20)
            var frame = RawFrame(2, .request, id: 1)
            decoder.feed(RawFrame(2, .request, id: 1).bytes[...])
            _ = try decoder.next()
            let small = decoder.capacity
            frame.length = (1 << 20) + 1
            decoder.feed(frame.bytes[...])
            #expect(throws: WireError.frameTooLarge((1 << 20) + 1)) { _ = try decoder.next() }
            #expect(decoder.capacity == small)

            var other = FrameDecoder(limit: 1 << 20)
            frame.length = 1 << 20
            other.feed(frame.bytes[...])
            let isNil = try other.next() == nil
            #expect(isNil)
            other.feed([1])
            #expect(other.capacity <= (1 << 20) + 65_536)
        }
    }
}
