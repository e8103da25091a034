// LogTail: the last line of a daemon's log, for whoever looks at the terminal and not at the log.

import Foundation

package enum LogTail {
    private static let longest = 400

    package static func size(of path: String) -> UInt64 {
        let found = try? FileManager.default.attributesOfItem(atPath: path)[.size]
        return (found as? NSNumber)?.uint64Value ?? 0
    }

    /// As it may be shown, without its time: the same line later is no news. nil if there is none
    /// behind the first `start` bytes, which are an earlier life's.
    package static func lastLine(of path: String, after start: UInt64 = 0) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        do {
            let size = try file.seekToEnd()
            if size < start { return nil }
            try file.seek(toOffset: max(start, size > 4096 ? size - 4096 : 0))
            let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
            guard let line = text.split(whereSeparator: \.isNewline).last else { return nil }
            let words = line.hasPrefix("time=") ? line.drop { $0 != " " }.drop { $0 == " " } : line
            return Terminal.printable(String(words.prefix(longest)))
        } catch {
            return nil
        }
    }
}
