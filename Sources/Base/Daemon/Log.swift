// The log of a daemon: lines of key=value pairs on standard error, which `bulkhead up` or systemd keeps.
import Posix

/// How much a line matters.
package enum LogLevel: Int, Sendable, CaseIterable {
    case debug, info, warning, error

    package var name: String { "\(self)" }
}

/// Writes records. A record is one write, so that lines of several threads do not mix. Never give it a secret.
package struct Log: Sendable {
    /// The name of the daemon.
    package let process: String
    /// Records below it are dropped.
    package let level: LogLevel
    private let descriptor: Int32

    package init(process: String, level: LogLevel = .info, descriptor: Int32 = 2) {
        self.process = process
        self.level = level
        self.descriptor = descriptor
    }

    package func debug(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.debug, message, fields)
    }

    package func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.info, message, fields)
    }

    /// Something is wrong and the daemon copes.
    package func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.warning, message, fields)
    }

    /// Something is wrong and somebody has to look at it.
    package func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.error, message, fields)
    }

    private func write(_ level: LogLevel, _ message: String, _ fields: KeyValuePairs<String, String>) {
        if level.rawValue < self.level.rawValue { return }
        let line = record(level, message, fields, at: Posix.wallMilliseconds())
        // A log that cannot be written has nowhere to say so; the daemon's work does not stop for it.
        _ = try? Posix.write(descriptor, Array(line.utf8))
    }

    /// The line of a record, with its newline; at most some 16 KiB, so that a peer cannot fill the disk with one.
    package func record(
        _ level: LogLevel, _ message: String, _ fields: KeyValuePairs<String, String>, at milliseconds: Int64
    ) -> String {
        var line = "time=\(Logfmt.time(milliseconds)) level=\(level.name) daemon=\(Logfmt.value(process))"
        line += " msg=\(Logfmt.value(Self.cut(message)))"
        for (key, value) in fields where line.utf8.count < 16_384 {
            line += " \(Logfmt.key(key))=\(Logfmt.value(Self.cut(value)))"
        }
        return line + "\n"
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= 2048 ? text : String(text.unicodeScalars.prefix(2000)) + "…"
    }
}
