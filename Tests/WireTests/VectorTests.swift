// The vectors, which decode.py made and judges without any Swift: both readers agree on what is refused, and why.

import Testing
import Wire

@Suite struct VectorTests {
    let vectors: [Vector]

    init() throws {
        vectors = try Vector.all()
        try #require(vectors.count > 300)
    }

    @Test func acceptVectorsDecodeAndEncodeToTheSameBytes() throws {
        for vector in vectors where vector.reason == nil {
            #expect(refusal(vector.bytes, vector, fds: vector.fds) == nil, "\(vector.testDescription)")
        }
    }

    @Test func rejectVectorsAreRefusedForTheReasonTheyName() {
        for vector in vectors {
            guard let reason = vector.reason else { continue }
            #expect(refusal(vector.bytes, vector, fds: vector.fds) == reason, "\(vector.testDescription)")
        }
    }

    @Test func everyMessageHasAnAcceptVector() {
        let seen = Set(vectors.filter { $0.reason == nil }.map { "\($0.edge) \($0.bytes[6]) \($0.bytes[4...5])" })
        for entry in allMessages {
            let type = [UInt8(entry.type >> 8), UInt8(entry.type & 255)][...]
            #expect(
                seen.contains("\(entry.edge) \(entry.kind.rawValue) \(type)"),
                "\(entry.edge) \(entry.kind) \(entry.type)")
        }
    }

    /// A frame cut short is refused at every offset, and so is a body whose header says the shorter length.
    @Test func everyCutIsRefused() {
        for vector in vectors where vector.reason == nil {
            for cut in 0..<vector.bytes.count {
                #expect(refusal(Array(vector.bytes[..<cut]), vector, fds: vector.fds) == "truncated")
                if cut >= FrameHeader.size {
                    let shorter = Self.length(cut) + vector.bytes[4..<cut]
                    #expect(
                        refusal(shorter, vector, fds: vector.fds) == "truncated", "\(vector.testDescription) \(cut)")
                }
            }
        }
    }

    @Test func oneByteOrDescriptorMoreIsRefused() {
        for vector in vectors where vector.reason == nil {
            let longer = Self.length(vector.bytes.count + 1) + vector.bytes[4...] + [0]
            #expect(refusal(longer, vector, fds: vector.fds) == "trailing_bytes", "\(vector.testDescription)")
            #expect(refusal(vector.bytes + [0], vector, fds: vector.fds) == "trailing_bytes")
            #expect(refusal(vector.bytes, vector, fds: vector.fds + 1) == "wrong_fds")
        }
    }

    private static func length(_ size: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: (size - 4) >> (24 - 8 * $0)) }
    }

    private func refusal(_ bytes: [UInt8], _ vector: Vector, fds: Int) -> String? {
        guard let edge = allEdges.first(where: { $0.name == vector.edge }) else { return "no such edge" }
        do {
            try FrameOracle.recode(bytes, edge: edge, from: vector.side, fds: fds)
            return nil
        } catch let error as WireError {
            return error.reason
        } catch {
            return "\(error)"
        }
    }
}
