// Finds a pattern in a stream, wherever reads split it and wherever it begins, also inside what looked like one. Pure:
// relayd looks for the answer to its preamble with it, the runner's SyncScanner for the preamble itself.

/// An incremental search (Knuth, Morris, Pratt) for one pattern. It keeps no input: what it has matched are the
/// pattern's own first bytes.
package struct StreamMatcher: Sendable {
    package let pattern: [UInt8]
    /// How many bytes of the pattern the input ends with; 0 again when it was all of them.
    package private(set) var matched = 0
    /// For each length, how much of the pattern is still matched when the next byte is wrong.
    private let fallback: [Int]

    /// - Parameter pattern: at least one byte.
    package init(_ pattern: [UInt8]) {
        self.pattern = pattern
        var fallback = [0, 0]
        var length = 0
        for index in pattern.indices.dropFirst() {
            while length > 0, pattern[index] != pattern[length] { length = fallback[length] }
            if pattern[index] == pattern[length] { length += 1 }
            fallback.append(length)
        }
        self.fallback = fallback
    }

    /// Takes the next byte of the input.
    /// - Returns: true if it completes the pattern; the byte behind it begins a new search.
    package mutating func take(_ byte: UInt8) -> Bool {
        while matched > 0, pattern[matched] != byte { matched = fallback[matched] }
        if pattern[matched] == byte { matched += 1 }
        guard matched == pattern.count else { return false }
        matched = 0
        return true
    }

    /// Takes input up to the end of the pattern: the index behind it, or nil if it is not there yet.
    package mutating func find(in bytes: ArraySlice<UInt8>) -> Int? {
        for index in bytes.indices where take(bytes[index]) { return index + 1 }
        return nil
    }
}
