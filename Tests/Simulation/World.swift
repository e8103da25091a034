// Time, chance and what is to happen: one of each for everything in a run. Nothing here waits: time is what the next
// event says.

import Wire

/// Nanoseconds.
typealias Time = UInt64

extension Time {
    static let millisecond: Time = 1_000_000
    static let second: Time = 1_000_000_000

    var inSeconds: String {
        let tenths = self / (.second / 10_000)
        let rest = "\(tenths % 10_000)"
        return "\(tenths / 10_000).\(String(repeating: "0", count: 4 - rest.count))\(rest)"
    }
}

final class World {
    /// Of the monotonic clock; it does not begin at zero, as no machine's does.
    static let beginning: Time = 1_000 * .second

    private(set) var now = World.beginning
    /// What a wall clock shows beyond the monotonic one. It jumps.
    var wallOffset: Int64 = 1_700_000_000_000
    private var random: SplitMix
    private var events = EventQueue()
    private let isTraced: Bool
    /// The first thing that must not have happened.
    private(set) var violation: String?

    init(seed: UInt64, isTraced: Bool) {
        random = SplitMix(seed: seed)
        self.isTraced = isTraced
    }

    var wall: Int64 { wallOffset + Int64(now / .millisecond) }

    func trace(_ text: @autoclosure () -> String) {
        if isTraced { print("\((now - Self.beginning).inSeconds) \(text())") }
    }

    /// The run is over: this must not be.
    func violated(_ text: String) {
        trace("VIOLATION: \(text)")
        violation = violation ?? "at \((now - Self.beginning).inSeconds): \(text)"
    }

    // MARK: time

    func after(_ delay: Time, _ body: @escaping () -> Void) {
        events.add(at: now + delay, body)
    }

    /// Nothing happens any more.
    func end() { events = EventQueue() }

    var nextEvent: Time? { events.first }

    /// Goes on to `time` and does what is due by then.
    func advance(to time: Time) {
        now = max(now, time)
        while let body = events.take(dueAt: now) { body() }
    }

    // MARK: chance

    func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    func between(_ low: Time, _ high: Time) -> Time { Time.random(in: low...high, using: &random) }

    func chance(_ percent: Int) -> Bool { below(100) < percent }

    func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    func id() -> Bytes16 { Bytes16(high: random.next(), low: random.next()) }
}
