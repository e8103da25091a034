import Masker
import Testing

/// S7: however a stream is cut, what comes out is what comes out of one piece, and that is what the reference says.
@Suite struct CutTests {
    /// All cuts of short streams, and after each piece exactly that is out which must be: nothing is held for too long.
    @Test func everyCutOfAShortStream() {
        var generator = SeededGenerator(1)
        var cases = 0
        var masked = 0
        var bad = 0
        while cases < 1_000_000 {
            let material = Material(
                letters: .random(in: 1...3, using: &generator), patterns: 1...4, lengths: 4...7, text: 4...11,
                &generator)
            let text = material.text
            let expected = Reference.masked(text, material.patterns)
            if expected != text { masked += 1 }
            let prefixes = (0...text.count).map { length in
                Reference.masked(Array(text.prefix(length)), material.patterns, isOver: false)
            }
            let masker = material.masker()
            for cuts in 0..<(1 << (text.count - 1)) {
                bad += isRight(masker, text, cuts, prefixes, expected) ? 0 : 1
                cases += 1
            }
            #expect(bad == 0, "\(material)")
            if bad > 0 { return }
        }
        #expect(masked > 500)
    }

    /// Bit n of `cuts`: there is a cut behind byte n.
    private func isRight(
        _ masker: Masker, _ text: [UInt8], _ cuts: Int, _ prefixes: [[UInt8]], _ expected: [UInt8]
    ) -> Bool {
        var output: [UInt8] = []
        var start = 0
        var isRight = true
        for index in text.indices where cuts >> index & 1 == 1 || index == text.count - 1 {
            text[start...index].withUnsafeBytes { masker.mask($0, into: &output) }
            start = index + 1
            isRight = isRight && output == prefixes[start]
        }
        masker.flush(into: &output)
        return isRight && output == expected
    }

    /// Random cuts of longer ones, with patterns short enough for one way of skipping and long enough for the other.
    @Test(arguments: [4...9, 12...40, 4...40, 30...90]) func randomCutsOfLongStreams(lengths: ClosedRange<Int>) {
        var generator = SeededGenerator(UInt64(lengths.lowerBound * 1000 + lengths.upperBound))
        var masked = 0
        for _ in 0..<400 {
            let material = Material(
                letters: .random(in: 1...4, using: &generator), patterns: 1...6, lengths: lengths, text: 1...600,
                &generator)
            let expected = Reference.masked(material.text, material.patterns)
            if expected != material.text { masked += 1 }
            let masker = material.masker()
            #expect(masker.all([material.text[...]]) == expected, "\(material)")
            for _ in 0..<100 {
                let cuts = randomCuts(material.text.count, &generator)
                let output = masker.all(pieces(material.text, cuts: cuts))
                if output != expected { return #expect(output == expected, "\(material) \(cuts)") }
            }
            // Counted once, wherever it was cut: by the masker that has had all of it, 101 times.
            let covered = Reference.covered(material.text, material.patterns)
            let masks = covered.indices.count { covered[$0] && ($0 == 0 || !covered[$0 - 1]) }
            let bytes = covered.count { $0 }
            let count = Masker.Count(bytes: 101 * UInt64(bytes), masks: 101 * UInt64(masks))
            if masker.replaced != count {
                return #expect(masker.replaced == count, "\(material)")
            }
        }
        #expect(masked > 200)
    }

    /// Values that are added while the stream runs are masked from then on, what is held included.
    @Test func addingWhileItRuns() {
        var generator = SeededGenerator(3)
        for _ in 0..<20_000 {
            let material = Material(
                letters: .random(in: 1...3, using: &generator), patterns: 2...5, lengths: 4...9, text: 1...60,
                &generator)
            let text = material.text
            let early = Array(material.patterns.prefix(Int.random(in: 0..<material.patterns.count, using: &generator)))
            let moment = Int.random(in: 0...text.count, using: &generator)
            let masker = Masker()
            masker.add { patterns in for pattern in early { patterns.addVerbatim(pattern) } }
            var output = masker.mask(Array(text[..<moment]))
            masker.add { patterns in for pattern in material.patterns { patterns.addVerbatim(pattern) } }
            for piece in pieces(Array(text[moment...]), cuts: randomCuts(text.count - moment, &generator)) {
                output += masker.mask(Array(piece))
            }
            output += masker.flush()
            #expect(output == expected(text, early, material.patterns, moment), "\(material) \(early) \(moment)")
        }
    }

    private func expected(_ text: [UInt8], _ early: [[UInt8]], _ all: [[UInt8]], _ moment: Int) -> [UInt8] {
        let before = Array(text[..<moment])
        let out = moment - Reference.held(before, early)
        let covered = Reference.covered(before, early) + [Bool](repeating: false, count: text.count - moment)
        let late = [Bool](repeating: false, count: out) + Reference.covered(Array(text[out...]), all)
        return Reference.masked(text, covered: zip(covered, late).map { $0 || $1 })
    }

    /// A masker that goes on where another one stood gives the rest of the same output.
    @Test func resumingAtAPoint() {
        var generator = SeededGenerator(4)
        var covered = 0
        for _ in 0..<20_000 {
            let material = Material(
                letters: .random(in: 1...3, using: &generator), patterns: 1...5, lengths: 4...9, text: 1...60,
                &generator)
            let text = material.text
            let moment = Int.random(in: 0...text.count, using: &generator)
            let first = material.masker()
            var output: [UInt8] = []
            for piece in pieces(Array(text[..<moment]), cuts: randomCuts(moment, &generator)) {
                output += first.mask(Array(piece))
            }
            let point = first.point
            covered += point.covered > 0 ? 1 : 0
            let second = material.masker()
            second.resume(at: point)
            #expect(second.point == Masker.Point(held: 0, covered: point.covered, isOpen: point.isOpen))
            let rest = Array(text[(moment - point.held)...])
            for piece in pieces(rest, cuts: randomCuts(rest.count, &generator)) { output += second.mask(Array(piece)) }
            output += second.flush()
            #expect(output == Reference.masked(text, material.patterns), "\(material) \(moment) \(point)")
        }
        #expect(covered > 100)
    }

    /// What was covered by an occurrence that began before stays so, also when a shorter one inside it is found again.
    @Test func aShorterOneInsideWhatIsCovered() {
        let material = Material(
            patterns: ["xabcdy", "abcd", "abcdyzzz"].map { Array($0.utf8) }, text: Array("xabcdy-".utf8))
        let first = material.masker()
        #expect(first.mask(Array(material.text.prefix(6))) == Array("***".utf8))
        #expect(first.point == Masker.Point(held: 5, covered: 5, isOpen: true))
        let second = material.masker()
        second.resume(at: first.point)
        #expect(second.mask(Array("abcdy-".utf8)) + second.flush() == [UInt8(ascii: "-")])
        // The same when the tables are made anew.
        first.add { $0.addVerbatim(Array("other".utf8)) }
        #expect(first.mask([UInt8(ascii: "-")]) + first.flush() == [UInt8(ascii: "-")])
    }
}
