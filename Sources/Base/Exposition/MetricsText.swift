// Prometheus' text format, version 0.0.4: what `GET /metrics` answers. Names follow its conventions, which
// `promtool check metrics` knows: Tests/Integration/test_metrics.py asks it.

/// Families of metrics, one after another: each has its head, and then its samples.
package struct MetricsText: Sendable {
    package static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// In the order in which they are written.
    package typealias Labels = KeyValuePairs<String, String>

    package private(set) var text = ""
    private var name = ""

    package init() {}

    /// Begins a family; the samples that follow are its own.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    package mutating func sample(_ value: some BinaryInteger, _ labels: Labels = [:]) {
        line("", labels, "", "\(value)")
    }

    package mutating func sample(_ value: Double, _ labels: Labels = [:]) {
        line("", labels, "", Self.number(value))
    }

    package mutating func sample(_ histogram: Histogram, _ labels: Labels = [:]) {
        for (bound, count) in histogram.cumulated {
            line("_bucket", labels, "le=\"\(Self.number(bound))\"", "\(count)")
        }
        line("_sum", labels, "", Self.number(histogram.sum))
        line("_count", labels, "", "\(histogram.count)")
    }

    private mutating func line(_ suffix: String, _ labels: Labels, _ last: String, _ value: String) {
        var pairs = labels.map { "\($0.key)=\"\(Self.escaped($0.value, quotes: true))\"" }
        if !last.isEmpty { pairs.append(last) }
        text += name + suffix + (pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}") + " \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value.isNaN ? "NaN" : "\(value)"
    }

    /// Names of images and the like are strangers' words: none may end its line or its quotes.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
