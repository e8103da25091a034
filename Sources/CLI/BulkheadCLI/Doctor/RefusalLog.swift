// RefusalLog: which webhooks brokerd has refused, and why. Who sent one is told nothing; the log is for us.

import Foundation

package enum RefusalLog {
    package struct Refusal: Equatable, Sendable {
        package let time: String
        package let reason: String
    }

    /// From the end of the log: an hour of the worst storm.
    private static let bytes: UInt64 = 16 << 20

    /// nil if the log cannot be read from here.
    static func text(of path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        do {
            let size = try file.seekToEnd()
            try file.seek(toOffset: size > bytes ? size - bytes : 0)
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        } catch {
            return nil
        }
    }

    /// The last one after `time` that is about the project, and, if `anybodys`, of those that no key fitted. Times are
    /// texts that are sorted as they passed.
    package static func last(of project: String, anybodys: Bool, after time: String, in text: String) -> Refusal? {
        for line in text.split(whereSeparator: \.isNewline).reversed() {
            let fields = fields(of: line)
            guard fields["msg"] == "refused", fields["request"] == "VerifyDelivery", let at = fields["time"],
                let reason = fields["reason"]
            else { continue }
            if at <= time { return nil }
            let isOurs = reason.contains("project '\(project)'")
            if isOurs || anybodys && !reason.contains("project '") { return Refusal(time: at, reason: reason) }
        }
        return nil
    }

    /// Of a line of `key=value` pairs, values in quotes where they have to be.
    static func fields(of line: Substring) -> [String: String] {
        var (found, rest): ([String: String], Substring) = ([:], line)
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].trimmingCharacters(in: .whitespaces)
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let letter = rest.popFirst(), letter != "\"" {
                    // What is escaped otherwise is nothing that anybody looks for.
                    value.append(letter == "\\" ? rest.popFirst() ?? letter : letter)
                }
            } else {
                let end = rest.firstIndex(of: " ") ?? rest.endIndex
                value = String(rest[..<end])
                rest = rest[end...]
            }
            found[key] = value
        }
        return found
    }
}
