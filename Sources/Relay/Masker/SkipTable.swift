// Finds the places where a pattern may begin, in text that has none under way: nearly all of a log. After Wu and Manber
// (1994): four bytes of text say how far away the next beginning can be.

final class SkipTable {
    /// Bytes that are looked at together.
    private static let block = 4
    /// A window that is longer skips further and fills the table more.
    private static let longestWindow = 32

    /// Bytes of each pattern that count: as many as the shortest has, within bounds.
    let window: Int
    private let shift: UInt32
    /// By the hash of the block that ends a window: how many bytes the next possible beginning is away from its start.
    private let distances: WipedRegion<UInt8>
    /// By the hash of a block: whether a pattern begins with it.
    private let beginnings: WipedRegion<UInt8>

    init(_ patterns: Patterns) {
        var shortest = Self.longestWindow
        for index in 0..<patterns.entries.count { shortest = min(shortest, patterns.entries.base[index].count) }
        window = shortest
        let blocks = patterns.entries.count * (shortest - Self.block + 1)
        var bits: UInt32 = 12
        while bits < 17, 1 << bits < 4 * blocks { bits += 1 }
        shift = 32 - bits
        distances = WipedRegion(capacity: 1 << Int(bits))
        beginnings = WipedRegion(capacity: 1 << Int(bits))
        distances.appendZeros(1 << Int(bits))
        beginnings.appendZeros(1 << Int(bits))
        distances.base.update(repeating: UInt8(shortest - Self.block + 1), count: 1 << Int(bits))
        for index in 0..<patterns.entries.count { add(patterns.bytes.base + patterns.entries.base[index].offset) }
    }

    private func add(_ pattern: UnsafePointer<UInt8>) {
        beginnings.base[slot(pattern)] = 1
        for start in 0...(window - Self.block) {
            let place = slot(pattern + start)
            distances.base[place] = min(distances.base[place], UInt8(window - Self.block - start))
        }
    }

    @inline(__always)
    private func slot(_ block: UnsafePointer<UInt8>) -> Int {
        let word = UnsafeRawPointer(block).loadUnaligned(as: UInt32.self)
        return Int((word &* 0x9E37_79B1) >> shift)
    }

    /// The first place from `start` on where a pattern may begin, or from where fewer than `window` bytes are left.
    @inline(__always)
    func next(in text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        window < 12 ? nextByBeginning(in: text, from: start, to: end) : nextByDistance(in: text, from: start, to: end)
    }

    private func nextByDistance(in text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let distances = UnsafePointer(distances.base)
        let beginnings = UnsafePointer(beginnings.base)
        let last = end - window
        let tail = text + (window - Self.block)
        var position = start
        while position <= last {
            let distance = Int(distances[slot(tail + position)])
            position += distance
            if distance == 0 {
                if beginnings[slot(text + position)] != 0 { return position }
                position += 1
            }
        }
        return position
    }

    /// Short patterns leave nothing to skip: look at each place, four at a time, since they do not wait for each other.
    private func nextByBeginning(in text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let beginnings = UnsafePointer(beginnings.base)
        var position = start
        while position + 4 + Self.block <= end {
            let first = beginnings[slot(text + position)]
            let second = beginnings[slot(text + position + 1)]
            let third = beginnings[slot(text + position + 2)]
            let fourth = beginnings[slot(text + position + 3)]
            if first | second | third | fourth != 0 {
                return position + (first != 0 ? 0 : second != 0 ? 1 : third != 0 ? 2 : 3)
            }
            position += 4
        }
        return position
    }
}
