// Replaces what must not be read in a stream of bytes. relayd has one for each attempt that has secrets, between the
// runner's records and the log file.
//
// All occurrences of all patterns are found, also those that overlap; each run of bytes that they cover becomes `***`.
// Bytes are held back for exactly as long as they may become part of an occurrence. However the stream is cut, the
// output is the same.

/// Not Sendable; one stream. What it holds is zeroed when it is let go of.
package final class Masker {
    /// Where the output stands in the stream. Who goes on from here with `resume`, with the same patterns and the bytes
    /// that are held, gets the rest of the very same output.
    package struct Point: Equatable, Sendable {
        /// Bytes taken that are in no output yet.
        package var held: Int
        /// How many of the bytes from here on are covered by an occurrence that began before.
        package var covered: Int
        /// The output ends in a `***` that what follows may belong to.
        package var isOpen: Bool

        package init(held: Int = 0, covered: Int = 0, isOpen: Bool = false) {
            self.held = held
            self.covered = covered
            self.isOpen = isOpen
        }
    }

    /// What has been replaced in the output since the beginning.
    package struct Count: Equatable, Sendable {
        /// Bytes of the stream that are not in the output.
        package var bytes: UInt64 = 0
        /// Those in their place.
        package var masks: UInt64 = 0

        package init(bytes: UInt64 = 0, masks: UInt64 = 0) {
            self.bytes = bytes
            self.masks = masks
        }

        package static func += (one: inout Count, other: Count) {
            one.bytes += other.bytes
            one.masks += other.masks
        }
    }

    /// Bytes that occurrences cover, relative to the beginning of the piece that is being looked at.
    struct Run {
        var start: Int
        var end: Int
    }

    static let mask = Array("***".utf8)

    let patterns = Patterns()
    private(set) var automaton: Automaton?
    var state: Automaton.State = 0
    /// The bytes that are held back: those that `state` stands for.
    private let held = WipedRegion<UInt8>(capacity: 64)
    /// Apart from each other, in order, and not before the held bytes.
    var runs: [Run] = []
    private var isOpen = false
    /// Counted where a replacement is made: bytes that pass cost nothing.
    package private(set) var replaced = Count()

    package init() {}

    /// Masks more: from now on, the bytes that are held included.
    package func add(_ body: (Patterns) throws -> Void) rethrows {
        let before = patterns.count
        defer { if patterns.count > before { rebuild() } }
        try body(patterns)
    }

    package var point: Point {
        Point(held: held.count, covered: coveredAhead, isOpen: isOpen)
    }

    /// Begins in the middle of a stream. To be called before any byte is taken; `held` of the point does not count.
    package func resume(at point: Point) {
        isOpen = point.isOpen
        runs = point.covered > 0 ? [Run(start: 0, end: point.covered)] : []
    }

    /// Takes the next bytes of the stream and adds to `output` what is certain now.
    package func mask(_ chunk: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard let base = chunk.bindMemory(to: UInt8.self).baseAddress, !chunk.isEmpty else { return }
        guard let automaton else {
            output.append(contentsOf: chunk)
            isOpen = false
            return
        }
        scan(automaton, base, chunk.count)
        settle(base, chunk.count, keeping: automaton.depth(state), into: &output)
    }

    package func mask(_ chunk: [UInt8], into output: inout [UInt8]) {
        chunk.withUnsafeBytes { mask($0, into: &output) }
    }

    package func mask(_ chunk: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(chunk.count)
        mask(chunk, into: &output)
        return output
    }

    /// The stream is over, or what follows has nothing to do with it: what is held goes out, masked where it is
    /// covered. Afterwards it can be used for another one.
    package func flush(into output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { none in
            guard let base = none.baseAddress else { return }
            settle(UnsafePointer(base), 0, keeping: 0, into: &output)
        }
        state = 0
        runs = []
        isOpen = false
    }

    package func flush() -> [UInt8] {
        var output: [UInt8] = []
        flush(into: &output)
        return output
    }

    /// A text that is no part of the stream. `isCut`: it may have been longer, so an end of it that is the beginning of
    /// a pattern is masked as well.
    package func masked(_ text: [UInt8], isCut: Bool) -> [UInt8] {
        guard let automaton else { return text }
        let other = Masker(sharing: automaton)
        var output = other.mask(text)
        if isCut, other.point.held > 0 {
            if !other.isOpen { output += Self.mask }
        } else {
            other.flush(into: &output)
        }
        return output
    }

    // MARK: inside

    private init(sharing automaton: Automaton) {
        self.automaton = automaton
    }

    private var coveredAhead: Int {
        guard isOpen, let first = runs.first, first.start == -held.count else { return 0 }
        return first.end - first.start
    }

    private func rebuild() {
        let automaton = Automaton(patterns)
        self.automaton = automaton
        let ahead = coveredAhead
        runs = ahead > 0 ? [Run(start: -held.count, end: ahead - held.count)] : []
        state = 0
        // They are the beginning of a pattern that is still one: all of them stay held.
        for index in 0..<held.count { step(automaton, held.base[index], index - held.count) }
    }

    /// Everything before the last `kept` bytes goes out; those are held.
    private func settle(_ chunk: UnsafePointer<UInt8>, _ count: Int, keeping kept: Int, into output: inout [UInt8]) {
        let end = count - kept
        var position = -held.count
        var passed = 0
        for run in runs {
            if run.start >= end { break }
            if run.start > position {
                emit(chunk, position..<run.start, &output)
                isOpen = false
            }
            if !isOpen {
                output.append(contentsOf: Self.mask)
                replaced.masks += 1
            }
            isOpen = true
            let covered = max(position, run.start)
            position = min(run.end, end)
            replaced.bytes += UInt64(max(0, position - covered))
            if run.end > end { break }
            passed += 1
        }
        if position < end {
            emit(chunk, position..<end, &output)
            isOpen = false
        }
        runs.removeFirst(passed)
        for index in runs.indices {
            runs[index].start = max(runs[index].start, end) - count
            runs[index].end -= count
        }
        hold(chunk, count, from: end)
    }

    /// Bytes of the stream that lie in what is held, in the chunk, or in both.
    private func emit(_ chunk: UnsafePointer<UInt8>, _ range: Range<Int>, _ output: inout [UInt8]) {
        if range.lowerBound < 0 {
            let early = range.lowerBound..<min(range.upperBound, 0)
            let start = held.base + (held.count + early.lowerBound)
            output.append(contentsOf: UnsafeBufferPointer(start: start, count: early.count))
        }
        let start = max(range.lowerBound, 0)
        guard start < range.upperBound else { return }
        output.append(contentsOf: UnsafeBufferPointer(start: chunk + start, count: range.upperBound - start))
    }

    private func hold(_ chunk: UnsafePointer<UInt8>, _ count: Int, from end: Int) {
        held.removeFirst(min(held.count, held.count + end))
        let start = max(end, 0)
        if start < count { held.append(chunk + start, count: count - start) }
    }
}
