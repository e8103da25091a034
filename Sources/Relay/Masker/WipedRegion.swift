// Memory for what is secret: patterns, the tables made of them, bytes that are held back. An array would leave copies
// behind wherever it grows; this is zeroed before it is given up, and where it shrinks.

import Secret

/// A growable row of trivial elements. Unsafe pointers are used in all of this module for two reasons: an array's
/// memory cannot be zeroed for certain, and the inner loop runs once for each byte of every log.
final class WipedRegion<Element: BitwiseCopyable> {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 16) {
        self.capacity = max(capacity, 1)
        base = .allocate(capacity: self.capacity)
        wipe(base, self.capacity)
    }

    deinit {
        wipe(base, capacity)
        base.deallocate()
    }

    func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        let size = max(wanted, capacity * 2)
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: size)
        wipe(larger, size)
        larger.update(from: base, count: count)
        wipe(base, capacity)
        base.deallocate()
        base = larger
        capacity = size
    }

    func append(_ element: Element) {
        if count == capacity { reserve(count + 1) }
        base[count] = element
        count += 1
    }

    func append(_ elements: UnsafePointer<Element>, count added: Int) {
        reserve(count + added)
        (base + count).update(from: elements, count: added)
        count += added
    }

    /// Appends `added` elements of zero bits.
    func appendZeros(_ added: Int) {
        reserve(count + added)
        count += added
    }

    func removeFirst(_ removed: Int) {
        guard removed > 0 else { return }
        base.update(from: base + removed, count: count - removed)
        truncate(to: count - removed)
    }

    func truncate(to length: Int) {
        wipe(base + length, count - length)
        count = length
    }
}

private func wipe<Element: BitwiseCopyable>(_ base: UnsafeMutablePointer<Element>, _ count: Int) {
    Secret.overwrite(.init(start: base, count: count * MemoryLayout<Element>.stride))
}
