// Generated secrets, and text in which they lie whole, in part, one in the other.

import Masker

struct Material {
    let patterns: [[UInt8]]
    let text: [UInt8]

    /// Patterns over few letters, so that they overlap, and text of the same letters.
    init(
        letters: Int, patterns count: ClosedRange<Int>, lengths: ClosedRange<Int>, text: ClosedRange<Int>,
        _ generator: inout SeededGenerator
    ) {
        func word(_ length: Int, _ generator: inout SeededGenerator) -> [UInt8] {
            (0..<length).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0..<UInt8(letters), using: &generator) }
        }
        patterns = (0..<Int.random(in: count, using: &generator)).map { _ in
            word(Int.random(in: lengths, using: &generator), &generator)
        }
        self.text = Self.text(of: patterns, Int.random(in: text, using: &generator), &generator) {
            word(Int.random(in: 0...3, using: &$0), &$0)
        }
    }

    init(patterns: [[UInt8]], text: [UInt8]) {
        self.patterns = patterns
        self.text = text
    }

    /// Whole patterns, beginnings, ends, and what `filler` makes between them.
    static func text(
        of patterns: [[UInt8]], _ length: Int, _ generator: inout SeededGenerator,
        filler: (inout SeededGenerator) -> [UInt8]
    ) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < length {
            let pattern = patterns.randomElement(using: &generator) ?? []
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: text += pattern
            case 1: text += pattern.prefix(Int.random(in: 0...pattern.count, using: &generator))
            case 2: text += pattern.suffix(Int.random(in: 0...pattern.count, using: &generator))
            default: text += filler(&generator)
            }
        }
        return Array(text.prefix(length))
    }

    func masker() -> Masker {
        let masker = Masker()
        masker.add { patterns in for pattern in self.patterns { patterns.addVerbatim(pattern) } }
        return masker
    }
}

/// The pieces between cuts at these places.
func pieces(_ text: [UInt8], cuts: [Int]) -> [ArraySlice<UInt8>] {
    let edges = [0] + cuts + [text.count]
    return zip(edges, edges.dropFirst()).map { text[$0..<$1] }
}

func randomCuts(_ count: Int, _ generator: inout SeededGenerator) -> [Int] {
    let cuts = Int.random(in: 0...min(count, 30), using: &generator)
    return (0..<cuts).map { _ in Int.random(in: 0...count, using: &generator) }.sorted()
}

extension Masker {
    func all(_ pieces: [ArraySlice<UInt8>]) -> [UInt8] {
        var output: [UInt8] = []
        for piece in pieces { piece.withUnsafeBytes { mask($0, into: &output) } }
        flush(into: &output)
        return output
    }
}
