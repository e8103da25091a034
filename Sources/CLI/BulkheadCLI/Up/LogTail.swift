// LogTail: the last line of a daemon's log, for whoever looks at the terminal and not at the log.

import Foundation

package enum LogTail {
    private static let longest = 400

    /// As it may be shown, without its time: the same line later is no news. nil if there is none.
    package static func lastLine(of path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        do {
            let size = try file.seekToEnd()
            try file.seek(toOffset: size > 4096 ? size - 4096 : 0)
            let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
            guard let line = text.split(whereSeparator: \.isNewline).last else { return nil }
            let words = line.hasPrefix("time=") ? line.drop { $0 != " " }.drop { $0 == " " } : line
            return Terminal.printable(String(words.prefix(longest)))
        } catch {
            return nil
        }
    }
}
