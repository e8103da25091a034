// What must not be read in a log: values and the forms in which tools print them. Masker searches for these.

/// The patterns of a set of values. It only grows: what was to be masked once stays masked.
///
/// Of each value: itself; base64 and base64url at the three alignments that text before it can give it (only the
/// characters that depend on nothing but the value); hexadecimal, lower and upper case; URL-encoded; as a JSON string;
/// and each line of it. The line ends behind a value are no part of it: `$(cat file)` drops them, and so do most tools.
///
/// Not searched for: a value reversed, xored, compressed, cut up, or in two encodings at once. Masking is against
/// accidents; whoever has a secret and wants to tell it can.
package final class Patterns {
    /// Shorter values are not masked: they would be found everywhere, and what is hidden could be guessed.
    package static let leastValue = 4
    /// Shorter lines of a longer value are not masked: `}` is one.
    package static let leastLine = 8
    /// Longer values are refused, so that no form of one is longer than a pattern may be.
    package static let longestValue = 8192

    package enum Refused: Error, Equatable {
        case tooLong(Int)
    }

    struct Entry: BitwiseCopyable {
        var offset: Int
        var count: Int
    }

    /// The patterns' bytes, one after the other.
    let bytes = WipedRegion<UInt8>(capacity: 1024)
    let entries = WipedRegion<Entry>(capacity: 64)
    /// The patterns that are whole values.
    private let values = WipedRegion<Entry>()
    private var entryStart = 0

    package init() {}

    /// How many patterns there are, the same one counted as often as it was made.
    package var count: Int { entries.count }

    /// Adds a value, all forms of it.
    package func add(_ value: UnsafeRawBufferPointer) throws(Refused) {
        guard value.count <= Self.longestValue else { throw .tooLong(value.count) }
        addAll(value.bindMemory(to: UInt8.self))
    }

    /// For values that are no secrets: tests and the benchmark.
    package func add(_ value: [UInt8]) throws(Refused) {
        guard value.count <= Self.longestValue else { throw .tooLong(value.count) }
        value.withUnsafeBytes { addAll($0.bindMemory(to: UInt8.self)) }
    }

    /// One pattern as it is, in no other form; at least 4 bytes. For tests.
    package func addVerbatim(_ pattern: [UInt8]) {
        begin()
        for byte in pattern { put(byte) }
        end()
    }

    /// Every different pattern, sorted. For the benchmark, which gives them to others: these copies are not zeroed.
    package func all() -> [[UInt8]] {
        let order = AutomatonOrder(self)
        return (0..<order.count).filter { index in
            index == 0
                || order.shared(index - 1, index) < max(order.pattern(index - 1).count, order.pattern(index).count)
        }.map { Array(order.pattern($0)) }
    }

    /// brokerd says all values again with every new one, and after every reconnection.
    private func isKnown(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        (0..<values.count).contains { index in
            let entry = values.base[index]
            let known = UnsafeBufferPointer(start: bytes.base + entry.offset, count: entry.count)
            return known.elementsEqual(value)
        }
    }

    private func addAll(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= Self.leastValue, !isKnown(bytes) else { return }
        // The first of its patterns is the value itself.
        values.append(Entry(offset: self.bytes.count, count: bytes.count))
        addForms(bytes)
        let trimmed = Self.withoutLineEnds(bytes)
        if trimmed.count < bytes.count { addForms(trimmed) }
        addLines(trimmed)
    }

    private func addForms(_ value: UnsafeBufferPointer<UInt8>) {
        guard value.count >= Self.leastValue else { return }
        addText(value)
        addBase64(value)
        addHex(value)
    }

    private func addLines(_ value: UnsafeBufferPointer<UInt8>) {
        guard value.contains(Ascii.lineFeed) || value.contains(Ascii.carriageReturn) else { return }
        var start = 0
        for index in 0...value.count {
            let isEnd = index == value.count || value[index] == Ascii.lineFeed || value[index] == Ascii.carriageReturn
            guard isEnd else { continue }
            if index - start >= Self.leastLine { addText(.init(rebasing: value[start..<index])) }
            start = index + 1
        }
    }

    private static func withoutLineEnds(_ value: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var end = value.count
        while end > 0, value[end - 1] == Ascii.lineFeed || value[end - 1] == Ascii.carriageReturn { end -= 1 }
        return .init(rebasing: value[..<end])
    }

    // MARK: one pattern

    /// What is put between `begin` and `end` is one pattern.
    func begin() { entryStart = bytes.count }

    func put(_ byte: UInt8) { bytes.append(byte) }

    func end() {
        let length = bytes.count - entryStart
        if length >= Self.leastValue {
            entries.append(Entry(offset: entryStart, count: length))
        } else {
            bytes.truncate(to: entryStart)
        }
    }
}

enum Ascii {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
}
