// A short run of the session fuzzer over mutated conversations; the long one is `make fuzz`.

import Link
import Testing
import Wire

extension LinkTests {
    @Suite struct Fuzz {
        /// Frames of every type and kind, a good hello before them, then bytes changed at random (with a fixed seed).
        @Test func mutatedConversations() throws {
            var random = Seeded(state: 42)
            var ready = 0
            for round in 0..<20_000 {
                var input: [UInt8] = [UInt8(round % 10), .random(in: 0...255, using: &random) | 0x80]
                for id in 0..<Int.random(in: 1...6, using: &random) { input += frame(UInt64(id + 1), &random) }
                if round % 4 != 0 {
                    for _ in 0..<Int.random(in: 1...4, using: &random) {
                        let index = Int.random(in: 2..<input.count, using: &random)
                        input[index] = .random(in: 0...255, using: &random)
                    }
                }
                let broken = SessionFuzz.run(input)
                #expect(broken == nil, "\(input)")
                if broken != nil { return }
                ready += 1
            }
            #expect(ready == 20_000)
        }

        @Test func anything() throws {
            var random = Seeded(state: 7)
            for _ in 0..<20_000 {
                let count = Int.random(in: 0...120, using: &random)
                let input = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                #expect(SessionFuzz.run(input) == nil, "\(input)")
            }
        }

        private func frame(_ id: UInt64, _ random: inout Seeded) -> [UInt8] {
            let kind = FrameKind.allCases.randomElement(using: &random) ?? .request
            let count = kind == .end || kind == .control ? 0 : Int.random(in: 0...20, using: &random)
            let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let type = UInt16.random(in: 0...13, using: &random)
            // Now and then an Abandon, of a request that there is or is not.
            if kind == .control && type < 7 {
                let named = (0..<8).map { $0 < 7 ? 0 : UInt8.random(in: 0...6, using: &random) }
                return RawFrame(Abandon.type, .control, id: 0, body: named).bytes
            }
            return RawFrame(type, kind, id: kind == .control ? 0 : id, body: body).bytes
        }
    }
}

/// The same numbers in every run (xorshift).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
