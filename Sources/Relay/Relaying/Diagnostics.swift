// What a runner writes to its standard error: words of the runner itself (or of whoever has taken it over), for the
// operator. Bounded, one log line each; the log escapes control characters.

/// Cuts bytes into lines. A runner gets `lineLimit` lines in its life and `lineLength` bytes in each; what a longer
/// line has beyond that is not shown, since half of a secret at the beginning of the next line would be no secret to
/// the masker.
package struct Diagnostics {
    private static let lineLimit = 100
    static let lineLength = 256

    private var line: [UInt8] = []
    private var lines = 0
    private let report: (String) -> Void

    package init(report: @escaping (String) -> Void) {
        self.report = report
    }

    package mutating func take(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            guard lines < Self.lineLimit else { return }
            if byte == UInt8(ascii: "\n") {
                flush()
            } else if line.count < Self.lineLength {
                line.append(byte)
            }
        }
    }

    /// Reports a line that has no end yet.
    package mutating func flush() {
        guard !line.isEmpty, lines < Self.lineLimit else { return }
        lines += 1
        report(String(decoding: line, as: UTF8.self))
        for index in line.indices { line[index] = 0 }
        line.removeAll(keepingCapacity: true)
        if lines == Self.lineLimit { report("(this runner's further diagnostics are not shown)") }
    }
}
