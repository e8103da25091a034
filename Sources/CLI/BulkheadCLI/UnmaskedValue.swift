// UnmaskedValue: what a person is told of a secret that logs would show.

/// relayd does not search logs for values this short: they are found in everything.
package enum UnmaskedValue {
    /// Bytes; as in relayd's masker.
    package static let leastMasked = 4

    /// nil if the value is masked. The line ends behind it do not count: most tools print it without.
    package static func warning(of value: [UInt8], name: String) -> String? {
        let end = value.lastIndex { $0 != 10 && $0 != 13 } ?? -1
        let count = end + 1
        guard count < leastMasked else { return nil }
        let size = "\(count) byte\(count == 1 ? "" : "s")\(count < value.count ? " before its line end" : "")"
        return
            "warning: \(name) has \(size), and values of fewer than \(leastMasked) are not masked: a step that prints "
            + "it shows it in the log. Anybody could guess it, too; set a longer one"
    }
}
