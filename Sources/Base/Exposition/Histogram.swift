// How long something took, counted by size.

/// Observations in seconds. Its size is that of its bounds, however much is observed.
package struct Histogram: Sendable {
    /// From a tenth of a millisecond to ten minutes.
    package static let durations = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
        600,
    ]

    private let bounds: [Double]
    /// One for each bound, and one for what is above the last.
    private var counts: [UInt64]
    package private(set) var sum = 0.0

    /// `bounds` rise.
    package init(_ bounds: [Double] = durations) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package mutating func observe(_ seconds: Double) {
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        sum += seconds
    }

    package mutating func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) / 1e18)
    }

    package var count: UInt64 { counts.reduce(0, +) }

    /// For each bound, and at the end for infinity, how many were not above it.
    package var cumulated: [(bound: Double, count: UInt64)] {
        var sum: UInt64 = 0
        return zip(bounds + [.infinity], counts).map { bound, count in
            sum += count
            return (bound, sum)
        }
    }
}
