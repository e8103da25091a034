// The sync marker is found wherever reads split it, and nothing else is ever lost, added or moved.

import RunnerCore
import Testing
import Wire

@Suite struct SyncScannerTests {
    static let runner = [UInt8](0x10..<0x20)
    static let nonce = [UInt8](0xa0..<0xb0)
    static let preamble = SyncPreamble.bytes(runner: runner, nonce: nonce)

    /// What a scanner makes of some reads, with neighbouring bytes joined.
    static func scan(_ reads: [[UInt8]], runner: [UInt8] = runner, release: Bool = false) -> [SyncScanner.Event] {
        var scanner = SyncScanner(runner: runner)
        var events: [SyncScanner.Event] = []
        func add(_ event: SyncScanner.Event) {
            if case .bytes(let more) = event, case .bytes(let before) = events.last {
                events[events.count - 1] = .bytes(before + more)
            } else {
                events.append(event)
            }
        }
        for read in reads {
            for event in scanner.scan(read[...]) { add(event) }
            if release {
                let held = scanner.release()
                if !held.isEmpty { add(.bytes(held)) }
            }
        }
        let held = scanner.release()
        if !held.isEmpty { add(.bytes(held)) }
        return events
    }

    @Test func everySplitOfAMarkerBetweenFrames() {
        let before = Array("frame that was cut in the midBULKHEAD-SYNC".utf8)
        let after = Array("next".utf8)
        let stream = before + Self.preamble + after
        let expected: [SyncScanner.Event] = [
            .bytes(before), .sync(nonce: Self.nonce, released: 0), .bytes(after),
        ]
        for first in 0...stream.count {
            for second in first...stream.count {
                let reads = [stream[..<first], stream[first..<second], stream[second...]].map { Array($0) }
                #expect(Self.scan(reads) == expected, "split at \(first) and \(second)")
            }
        }
        #expect(Self.scan(stream.map { [$0] }) == expected)
    }

    @Test func aFrameThatEndsLikeAMarkerIsHeldOnlyUntilItIsReleased() {
        var scanner = SyncScanner(runner: Self.runner)
        let acknowledgement: [UInt8] = [0, 0, 0, 66]  // 66 is "B"
        #expect(scanner.scan(acknowledgement[...]) == [.bytes([0, 0, 0])])
        #expect(scanner.isHolding)
        #expect(scanner.release() == [66])
        #expect(!scanner.isHolding)
        #expect(scanner.release() == [])
        #expect(scanner.scan([1, 2]) == [.bytes([1, 2])])
    }

    @Test func aReleasedPrefixIsStillPartOfAMarker() {
        for split in 1..<SyncPreamble.marker(runner: Self.runner).count {
            var scanner = SyncScanner(runner: Self.runner)
            _ = scanner.scan(Self.preamble[..<split])
            #expect(scanner.release() == Array(Self.preamble[..<split]))
            let events = scanner.scan(Self.preamble[split...])
            #expect(events == [.sync(nonce: Self.nonce, released: split)])
        }
    }

    @Test func anotherRunnersMarkerPasses() {
        let other = SyncPreamble.bytes(runner: [UInt8](repeating: 7, count: 16), nonce: Self.nonce)
        #expect(Self.scan([other]) == [.bytes(other)])
    }

    @Test func twoMarkersInARow() {
        let second = [UInt8](repeating: 0, count: 16)
        let stream = Self.preamble + SyncPreamble.bytes(runner: Self.runner, nonce: second) + [9]
        #expect(
            Self.scan([stream])
                == [.sync(nonce: Self.nonce, released: 0), .sync(nonce: second, released: 0), .bytes([9])])
    }

    /// A nonce is random, so it may look like a marker; it must not be taken for one.
    @Test func aMarkerInsideANonceIsANonce() {
        let nonce = SyncPreamble.magic
        let stream = SyncPreamble.bytes(runner: Self.runner, nonce: nonce) + Self.runner
        #expect(Self.scan([stream]) == [.sync(nonce: nonce, released: 0), .bytes(Self.runner)])
    }

    /// Against a reference that searches the whole stream at once. The runner's id repeats the magic's letters, so that
    /// partial matches overlap.
    @Test(arguments: 0..<64 as Range<UInt64>)
    func agreesWithASearchOfTheWhole(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let runner = Array("BULKBULKHEAD-SYN".utf8)
        let marker = SyncPreamble.magic + runner
        var stream: [UInt8] = []
        for _ in 0..<30 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: stream += random.bytes(Int.random(in: 0..<20, using: &random), from: Array("BULKHEAD".utf8))
            case 1: stream += marker.prefix(Int.random(in: 0...31, using: &random))
            case 2: stream += SyncPreamble.bytes(runner: runner, nonce: random.bytes(16, from: Array("BU".utf8)))
            default: stream += random.bytes(Int.random(in: 0..<50, using: &random))
            }
        }
        let expected = Self.reference(stream, marker)
        var reads: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...9, using: &random)
            reads.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        #expect(Self.scan(reads, runner: runner) == expected, "seed \(seed)")
        let withReleases = Self.scan(reads, runner: runner, release: true)
        #expect(Self.syncs(withReleases) == Self.syncs(expected), "seed \(seed), releasing")
    }

    static func syncs(_ events: [SyncScanner.Event]) -> [[UInt8]] {
        events.compactMap { if case .sync(let nonce, _) = $0 { nonce } else { nil } }
    }

    static func reference(_ stream: [UInt8], _ marker: [UInt8]) -> [SyncScanner.Event] {
        var events: [SyncScanner.Event] = []
        var plain: [UInt8] = []
        var at = 0
        while at < stream.count {
            guard stream[at...].starts(with: marker) else {
                plain.append(stream[at])
                at += 1
                continue
            }
            if !plain.isEmpty { events.append(.bytes(plain)) }
            plain = []
            let nonce = Array(stream[(at + marker.count)...].prefix(16))
            if nonce.count == 16 { events.append(.sync(nonce: nonce, released: 0)) }
            at = min(stream.count, at + marker.count + 16)
        }
        if !plain.isEmpty { events.append(.bytes(plain)) }
        return events
    }
}
