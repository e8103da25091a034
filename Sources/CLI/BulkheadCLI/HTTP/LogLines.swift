// LogLines: a log as JSON, an object a line: {"job":17,"line":1,"text":"..."}. For LogStream.

package import Foundation

/// Cuts bytes into lines, wherever they were cut on their way.
package struct LogLines: Sendable {
    /// The most bytes of one text: a log without line breaks must not fill the memory of who reads it. A longer line
    /// comes in several objects, of which all but the last say `"continued":true`.
    package static let limit = 65536

    private struct Line: Encodable {
        let job: UInt64
        let line: UInt64
        let text: String
        let continued: Bool?
    }

    private let job: UInt64
    private var number: UInt64 = 1
    private var rest = Data()

    package init(job: UInt64) {
        self.job = job
    }

    /// JSON for every line that is whole now.
    package mutating func add(_ bytes: Data) -> Data {
        rest.append(bytes)
        var output = Data()
        var start = rest.startIndex
        while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
            cut(from: &start, to: end, into: &output)
            emit(rest[start..<end], continued: false, into: &output)
            number += 1
            start = rest.index(after: end)
        }
        cut(from: &start, to: rest.endIndex, into: &output)
        rest = Data(rest[start...])
        return output
    }

    /// JSON for a last line without a line break.
    package mutating func finish() -> Data {
        var output = Data()
        if !rest.isEmpty { emit(rest, continued: false, into: &output) }
        rest = Data()
        return output
    }

    private func cut(from start: inout Data.Index, to end: Data.Index, into output: inout Data) {
        while end - start > Self.limit {
            emit(rest[start..<start + Self.limit], continued: true, into: &output)
            start += Self.limit
        }
    }

    private func emit(_ text: Data, continued: Bool, into output: inout Data) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(
            job: job, line: number, text: String(decoding: text, as: UTF8.self), continued: continued ? true : nil)
        guard let json = try? encoder.encode(line) else { return }  // numbers and text always encode
        output.append(contentsOf: Terminal.safe(json: String(decoding: json, as: UTF8.self)).utf8)
        output.append(UInt8(ascii: "\n"))
    }
}
