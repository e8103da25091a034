// Nothing is lost, nothing is repeated, nothing outgrows its bound.

import RunnerCore
import Testing
import Wire

@Suite struct RecordBufferTests {
    static func log(_ bytes: [UInt8]) -> RunnerEdge.Record {
        .log(RunnerEdge.LogChunk(step: 0, output: .stdout, bytes: bytes))
    }

    static func drain(_ buffer: inout RecordBuffer) -> [UInt64] {
        var numbers: [UInt64] = []
        while let (number, _) = buffer.takeNext() { numbers.append(number) }
        return numbers
    }

    @Test func numbersBeginAtOne() throws {
        var buffer = RecordBuffer()
        for byte in 1...3 as ClosedRange<UInt8> { buffer.append(Self.log([byte])) }
        #expect(Self.drain(&buffer) == [1, 2, 3])
        #expect(Self.drain(&buffer) == [])
        try buffer.resume(after: 1)
        #expect(Self.drain(&buffer) == [2, 3])
        #expect(buffer.last == 3)
        #expect(!buffer.isSettled)
        try buffer.acknowledge(3)
        #expect(buffer.isSettled)
    }

    @Test func anAcknowledgementBeforeItIsSentIsNotSent() throws {
        var buffer = RecordBuffer()
        for byte in 1...3 as ClosedRange<UInt8> { buffer.append(Self.log([byte])) }
        try buffer.acknowledge(2)
        #expect(Self.drain(&buffer) == [3])
        try buffer.acknowledge(1)
        #expect(buffer.durable == 2)
    }

    @Test func whatCannotBeIsSaid() throws {
        var buffer = RecordBuffer()
        buffer.append(Self.log([1]))
        #expect(throws: RecordBuffer.Mismatch.beyondLast(1)) { try buffer.acknowledge(2) }
        #expect(throws: RecordBuffer.Mismatch.beyondLast(1)) { try buffer.resume(after: 2) }
        try buffer.acknowledge(1)
        #expect(throws: RecordBuffer.Mismatch.forgotten(first: 2)) { try buffer.resume(after: 0) }
    }

    @Test func atMostAMebibyteIsOutstanding() throws {
        var buffer = RecordBuffer()
        var bytes = 0
        while !buffer.isFull {
            let size = min(buffer.room, 32_768)
            buffer.append(Self.log([UInt8](repeating: 1, count: size)))
            bytes += size
        }
        #expect(bytes <= 1 << 20)
        #expect(bytes > 1_000_000)
        buffer.append(.stepBegun(RunnerEdge.StepBegun(index: 1)))
        try buffer.acknowledge(1)
        #expect(buffer.room >= 32_768 - RecordBuffer.overhead)
    }

    @Test func unfinishedLinesTakeRoom() {
        var buffer = RecordBuffer(capacity: 64 << 10)
        let room = buffer.room
        buffer.held = 10_000
        #expect(buffer.room == room - 10_000)
        buffer.held = 64 << 10
        #expect(buffer.isFull)
        buffer.held = 0
        #expect(buffer.room == room)
    }

    @Test func oneByteAtATimeIsBoundedToo() {
        var buffer = RecordBuffer()
        var count = 0
        while !buffer.isFull {
            buffer.append(Self.log([1]))
            count += 1
        }
        #expect(count < 10_000)
    }

    /// Against a model: an array of everything, with the peer's disk beside it.
    @Test(arguments: 0..<32 as Range<UInt64>)
    func aPeerThatComesAndGoesHasEverythingOnce(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var buffer = RecordBuffer(capacity: 64 << 10)
        var made: [RunnerEdge.Record] = []
        var disk: [RunnerEdge.Record] = []
        for _ in 0..<3000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...4 where !buffer.isFull:
                let size = min(buffer.room, Int.random(in: 1...5000, using: &random))
                made.append(Self.log(random.bytes(1) + [UInt8](repeating: 0, count: size - 1)))
                made.last.map { buffer.append($0) }
            case 5...7:
                while let (number, record) = buffer.takeNext() {
                    #expect(number == UInt64(disk.count) + 1, "seed \(seed)")
                    disk.append(record)
                    if Int.random(in: 0..<4, using: &random) == 0 { break }
                }
            case 8: try buffer.acknowledge(UInt64(disk.count))
            default:
                // The peer dies; what it had on disk but not acknowledged it still has, or not all of it.
                let kept = Int.random(in: Int(buffer.durable)...disk.count, using: &random)
                disk.removeLast(disk.count - kept)
                try buffer.resume(after: UInt64(kept))
            }
        }
        while let (_, record) = buffer.takeNext() { disk.append(record) }
        #expect(disk == made, "seed \(seed)")
    }
}
