// A preamble is found wherever reads split it, and nothing else is taken for it.

import Testing
import Wire

@Suite struct StreamMatcherTests {
    private static let runner = Bytes16(high: 1, low: 2).array
    private static let preamble = SyncPreamble.bytes(runner: runner, nonce: Bytes16(high: 3, low: 4).array)

    private func find(_ parts: [[UInt8]], _ pattern: [UInt8] = preamble) -> (part: Int, index: Int)? {
        var matcher = StreamMatcher(pattern)
        for (number, part) in parts.enumerated() {
            if let index = matcher.find(in: part[...]) { return (number, index) }
        }
        return nil
    }

    @Test func isFoundAtEverySplit() {
        #expect(Self.preamble.count == 48)
        let rest = Array("rest".utf8)
        // Beginnings of the preamble right before it: a matcher that restarts at the wrong byte misses it.
        let before = Array("BULKHEAD".utf8) + Self.preamble.prefix(47) + Array("BULKHEAD-SYNC-1BBULKHEAD-SYNC-1\n".utf8)
        let stream = before + Self.preamble + rest
        for split in 0...stream.count {
            let parts = [Array(stream[..<split]), Array(stream[split...])]
            let end = stream.count - rest.count
            let found = find(parts)
            #expect(found?.part == (split < end ? 1 : 0))
            #expect(found?.index == (split < end ? end - split : end))
        }
    }

    @Test func anOldNonceIsNotAnAnswer() {
        let old = SyncPreamble.bytes(runner: Self.runner, nonce: Bytes16(high: 3, low: 5).array)
        #expect(find([old, old]) == nil)
        #expect(find([old, Self.preamble]) != nil)
    }

    /// Every text of up to eleven letters, against a search that looks at each place anew.
    @Test(arguments: ["a", "ab", "aa", "aab", "aba", "abab", "aabaa", "abaab"])
    func agreesWithASearchOfTheWhole(_ text: String) {
        let pattern = Array(text.utf8)
        for number in 0..<(1 << 11) {
            let input = (0..<11).map { UInt8(ascii: "a") + UInt8(number >> $0 & 1) }
            let place = (0...(11 - pattern.count)).first { input[$0...].starts(with: pattern) }
            #expect(find([input], pattern)?.index == place.map { $0 + pattern.count }, "\(text) in \(number)")
        }
    }
}
