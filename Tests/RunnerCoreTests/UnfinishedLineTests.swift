// S7: however the writes of two streams are cut and mixed, the log has their lines whole, and all of their bytes.

import RunnerCore
import Testing

@Suite struct UnfinishedLineTests {
    /// One read of one of two streams.
    struct Read {
        let stream: Int
        let bytes: [UInt8]
    }

    /// What goes to the log: the reads in their order, each stream through its UnfinishedLine; and at the end the rest.
    static func merge(_ reads: [Read]) -> (lines: [Read], rest: [Read]) {
        var lines = [UnfinishedLine(), UnfinishedLine()]
        let out = reads.map { Read(stream: $0.stream, bytes: lines[$0.stream].take($0.bytes)) }
        return (
            out.filter { !$0.bytes.isEmpty }, (0..<2).map { Read(stream: $0, bytes: lines[$0].flush()) }
        )
    }

    /// As the log has it.
    static func merged(_ reads: [Read]) -> String {
        let (lines, rest) = merge(reads)
        return text(lines + rest)
    }

    static func bytes(_ reads: [Read], of stream: Int? = nil) -> [UInt8] {
        reads.filter { stream == nil || $0.stream == stream }.flatMap(\.bytes)
    }

    static func text(_ reads: [Read]) -> String { String(decoding: bytes(reads), as: UTF8.self) }

    static func isEnd(_ byte: UInt8?) -> Bool { byte == 10 || byte == 13 }

    /// Lines of one stream each, with their ends; all bytes of each stream in their order; nothing held that is ended.
    static func isRight(_ reads: [Read], _ streams: [[UInt8]]) -> Bool {
        let (lines, rest) = merge(reads)
        return lines.allSatisfy { isEnd($0.bytes.last) } && rest.allSatisfy { !$0.bytes.contains(where: isEnd) }
            && (0..<2).allSatisfy { bytes(lines + rest, of: $0) == streams[$0] }
    }

    static let secret = "5ecret-va1ue-0f-32-bytes-exact1y"

    /// Half a value, another stream's line, the other half.
    @Test func aLineOfTheOtherStreamBetweenTwoHalves() {
        let reads = [
            Read(stream: 0, bytes: Array(Self.secret.utf8.prefix(12))), Read(stream: 1, bytes: Array("warning\n".utf8)),
            Read(stream: 0, bytes: Array(Self.secret.utf8.dropFirst(12)) + [10]),
        ]
        #expect(Self.merged(reads) == "warning\n\(Self.secret)\n")
        #expect(!Self.text(reads).contains(Self.secret), "the control: as they were read")
    }

    /// Nobody means harm: stdout's buffer is written out when it has 4096 bytes, stderr at once.
    @Test func buffersThatEndInTheMiddleOfAValue() {
        let output = (0..<500).map { "line \($0): \(Self.secret)\n" }.joined()
        let blocks = stride(from: 0, to: output.utf8.count, by: 4096).map {
            Array(output.utf8.dropFirst($0).prefix(4096))
        }
        let reads = blocks.enumerated().flatMap { index, block in
            [Read(stream: 0, bytes: block), Read(stream: 1, bytes: Array("warning \(index)\n".utf8))]
        }
        func count(_ text: String) -> Int { text.split(separator: "\n").count { $0.hasSuffix(Self.secret) } }
        let merged = Self.merged(reads)
        #expect(count(merged) == 500)
        #expect(merged.split(separator: "\n").count == 500 + blocks.count)
        #expect(count(Self.text(reads)) < 500, "the control: as they were read")
    }

    /// Byte by byte, in every order that two streams can have.
    @Test func everyMixture() {
        let streams = [Array("ab\nc\r\nd".utf8), Array("1\n23".utf8)]
        var mixtures = 0
        func mix(_ reads: [Read], _ at: [Int]) {
            for stream in 0..<2 where at[stream] < streams[stream].count {
                var next = at
                next[stream] += 1
                mix(reads + [Read(stream: stream, bytes: [streams[stream][at[stream]]])], next)
            }
            guard at == streams.map(\.count) else { return }
            mixtures += 1
            #expect(Self.isRight(reads, streams))
        }
        mix([], [0, 0])
        #expect(mixtures == 330)
    }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func mixturesOfLongerStreams(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet: [UInt8] = [10, 13] + [UInt8](repeating: 97, count: Int.random(in: 1...400, using: &random))
        let streams = (0..<2).map { _ in
            (0..<Int.random(in: 0...30_000, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
        }
        var rest = streams.map { $0[...] }
        var reads: [Read] = []
        while !rest.allSatisfy(\.isEmpty) {
            let stream = Int.random(in: 0..<2, using: &random)
            let part = rest[stream].prefix(Int.random(in: 1...700, using: &random))
            rest[stream] = rest[stream].dropFirst(part.count)
            if !part.isEmpty { reads.append(Read(stream: stream, bytes: Array(part))) }
        }
        #expect(Self.isRight(reads, streams), "seed \(seed)")
    }

    @Test func noMoreIsHeldThanTheBound() {
        var line = UnfinishedLine()
        var out = 0
        for _ in 0..<300 {
            out += line.take([UInt8](repeating: 1, count: 1000)).count
            #expect(line.count <= UnfinishedLine.longest)
        }
        #expect(out + line.count == 300_000)
        #expect(out >= 300_000 - UnfinishedLine.longest)
        // A line that was begun too long ago ends as any other.
        let held = line.count
        #expect(line.take([2, 10, 3]).count == held + 2)
        #expect(line.flush() == [3])
        #expect(line.isEmpty)
    }
}
