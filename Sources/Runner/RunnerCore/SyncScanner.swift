// Finds the sync preamble in the bytes that arrive on the runner's stdin, wherever reads split it. Pure; RunnerDuct
// feeds it. The marker may come in the middle of a frame that a killed relayd never finished, so it is looked for at
// all times. Its second half is the runner's id, which is random: neither a source archive nor a job can contain it by
// accident.

/// An incremental search (Knuth, Morris, Pratt) for the marker, then for the nonce behind it.
package struct SyncScanner {
    /// What a stretch of input turned out to be, in order.
    package enum Event: Equatable {
        /// Bytes that belong to the current connection.
        case bytes([UInt8])
        /// A preamble is complete: the current connection is over and one with this nonce begins.
        /// `released` of the marker's bytes had gone to the old connection before the marker was recognised
        /// (`release`).
        case sync(nonce: [UInt8], released: Int)
    }

    private let marker: [UInt8]
    /// `fallback[k]`: the length of the longest proper prefix of the marker that ends its first `k` bytes.
    private let fallback: [Int]
    /// How many bytes of the marker the input ends with.
    private var matched = 0
    /// How many of the matched bytes have been passed on by `release`.
    private var released = 0
    /// Non-nil while the nonce is being read.
    private var nonce: [UInt8]?

    /// - Parameter runner: the runner's id, 16 bytes.
    package init(runner: [UInt8]) {
        marker = SyncPreamble.magic + runner
        fallback = SyncScanner.fallbackTable(marker)
    }

    /// True while bytes are held back because a marker may have begun. The owner gives `release` a moment later: a
    /// frame may end with the marker's first byte (an acknowledgement of record 66 does), and nothing may follow it for
    /// long.
    package var isHolding: Bool { nonce == nil && matched > released }

    /// Passes on what is held back, and goes on matching. Called when no byte has followed for a while.
    /// - Returns: the bytes for the current connection; empty if none are held.
    package mutating func release() -> [UInt8] {
        guard isHolding else { return [] }
        let bytes = Array(marker[released..<matched])
        released = matched
        return bytes
    }

    /// Takes the next bytes of the input, of any number.
    package mutating func scan(_ input: ArraySlice<UInt8>) -> [Event] {
        var events: [Event] = []
        var passing: [UInt8] = []
        var rest = input
        while !rest.isEmpty {
            if nonce != nil {
                takeNonce(&rest, &events)
            } else if matched == 0 {
                skipToFirst(&rest, &passing)
            } else if take(rest.removeFirst(), &passing) {
                if !passing.isEmpty { events.append(.bytes(passing)) }
                passing = []
            }
        }
        if !passing.isEmpty { events.append(.bytes(passing)) }
        return events
    }

    /// The fast path: nothing is matched, so all up to the marker's first byte belongs to the connection.
    private mutating func skipToFirst(_ rest: inout ArraySlice<UInt8>, _ passing: inout [UInt8]) {
        guard let start = rest.firstIndex(of: marker[0]) else {
            passing.append(contentsOf: rest)
            rest = []
            return
        }
        passing.append(contentsOf: rest[rest.startIndex..<start])
        rest = rest[(start + 1)...]
        matched = 1
    }

    /// One byte while part of the marker is matched.
    /// - Returns: true when the marker is complete.
    private mutating func take(_ byte: UInt8, _ passing: inout [UInt8]) -> Bool {
        while matched > 0 && marker[matched] != byte {
            let shorter = fallback[matched]
            let given = matched - shorter
            // The marker's first `given` bytes were not its start after all.
            if released < given { passing.append(contentsOf: marker[released..<given]) }
            released = max(0, released - given)
            matched = shorter
        }
        if marker[matched] == byte {
            matched += 1
        } else {
            passing.append(byte)
        }
        guard matched == marker.count else { return false }
        nonce = []
        return true
    }

    private mutating func takeNonce(_ rest: inout ArraySlice<UInt8>, _ events: inout [Event]) {
        guard var bytes = nonce else { return }
        let part = rest.prefix(SyncPreamble.nonceSize - bytes.count)
        bytes.append(contentsOf: part)
        rest = rest.dropFirst(part.count)
        guard bytes.count == SyncPreamble.nonceSize else {
            nonce = bytes
            return
        }
        events.append(.sync(nonce: bytes, released: released))
        nonce = nil
        matched = 0
        released = 0
    }

    private static func fallbackTable(_ pattern: [UInt8]) -> [Int] {
        var table = [Int](repeating: 0, count: pattern.count + 1)
        var length = 0
        for index in pattern.indices.dropFirst() {
            while length > 0 && pattern[index] != pattern[length] { length = table[length] }
            if pattern[index] == pattern[length] { length += 1 }
            table[index + 1] = length
        }
        return table
    }
}
