// The patterns in the order of their bytes.

final class AutomatonOrder {
    private let patterns: Patterns
    /// Only numbers: the bytes stay where they are.
    private var indices: [Int]

    init(_ patterns: Patterns) {
        self.patterns = patterns
        indices = Array(0..<patterns.entries.count)
        indices.sort { precedes($0, $1) }
    }

    var count: Int { indices.count }

    func pattern(_ index: Int) -> UnsafeBufferPointer<UInt8> { bytes(of: indices[index]) }

    /// How many first bytes two patterns have in common.
    func shared(_ one: Int, _ other: Int) -> Int { common(pattern(one), pattern(other)) }

    private func bytes(of entry: Int) -> UnsafeBufferPointer<UInt8> {
        let entry = patterns.entries.base[entry]
        return UnsafeBufferPointer(start: patterns.bytes.base + entry.offset, count: entry.count)
    }

    private func common(_ one: UnsafeBufferPointer<UInt8>, _ other: UnsafeBufferPointer<UInt8>) -> Int {
        let end = min(one.count, other.count)
        var length = 0
        while length < end, one[length] == other[length] { length += 1 }
        return length
    }

    private func precedes(_ one: Int, _ other: Int) -> Bool {
        let left = bytes(of: one)
        let right = bytes(of: other)
        let length = common(left, right)
        guard length < left.count, length < right.count else { return left.count < right.count }
        return left[length] < right[length]
    }
}
