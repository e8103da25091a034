// dudect's way: two classes of inputs in random order, Welch's t over their times, without the slowest, which are the
// machine's. Beyond 4.5 there is a difference.

import Posix

enum Timing {
    static let bound = 4.5

    /// `classes` make one call each, with an input of the class.
    static func t(calls: Int, _ classes: [() throws -> Void]) throws -> Double {
        var state: UInt64 = 0x5EED
        var times: [[Double]] = [[], []]
        for _ in 0..<1_000 { for call in classes { try call() } }
        for _ in 0..<calls {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let side = Int(state >> 40 & 1)
            let start = Posix.monotonicNow()
            try classes[side]()
            times[side].append(Double(Posix.monotonicNow() - start))
        }
        let all = (times[0] + times[1]).sorted()
        let most = all[all.count * 95 / 100]
        let (one, other) = (Moments(times[0], below: most), Moments(times[1], below: most))
        return (one.mean - other.mean) / (one.variance / one.count + other.variance / other.count).squareRoot()
    }

    private struct Moments {
        let count: Double
        let mean: Double
        let variance: Double

        init(_ values: [Double], below most: Double) {
            let kept = values.filter { $0 <= most }
            let mean = kept.reduce(0, +) / Double(kept.count)
            count = Double(kept.count)
            variance = kept.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
            self.mean = mean
        }
    }
}
