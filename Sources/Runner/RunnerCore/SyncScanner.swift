// Finds the sync preamble in the bytes that arrive on the runner's stdin, wherever reads split it. Pure; RunnerDuct
// feeds it. The marker may come in the middle of a frame that a killed relayd never finished, so it is looked for at
// all times. Its second half is the runner's id, which is random: neither a source archive nor a job can contain it by
// accident.

import Wire

/// An incremental search for the marker, then for the nonce behind it.
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

    private var matcher: StreamMatcher
    /// How many of the matched bytes have been passed on by `release`.
    private var released = 0
    /// Non-nil while the nonce is being read.
    private var nonce: [UInt8]?

    /// - Parameter runner: the runner's id, 16 bytes.
    package init(runner: [UInt8]) {
        matcher = StreamMatcher(SyncPreamble.marker(runner: runner))
    }

    private var marker: [UInt8] { matcher.pattern }
    /// How many bytes of the marker the input ends with.
    private var matched: Int { matcher.matched }

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
        _ = matcher.take(marker[0])
    }

    /// One byte while part of the marker is matched.
    /// - Returns: true when the marker is complete.
    private mutating func take(_ byte: UInt8, _ passing: inout [UInt8]) -> Bool {
        let before = matched
        if matcher.take(byte) {
            nonce = []
            return true
        }
        // So many of the bytes before, and at last this one, were not the marker's start after all.
        let given = before + 1 - matched
        if released < min(given, before) { passing.append(contentsOf: marker[released..<min(given, before)]) }
        if given > before { passing.append(byte) }
        released = max(0, released - given)
        return false
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
        released = 0
    }
}
