// Terminal: what a person sees. Colour and progress only on a terminal; errors on standard error.

import Foundation

package enum Terminal {
    static let isOutputTerminal = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    static let isErrorTerminal = isatty(STDERR_FILENO) == 1

    static func print(_ line: String) {
        write(Data((line + "\n").utf8), to: .standardOutput)
    }

    static func note(_ line: String) {
        write(Data((line + "\n").utf8), to: .standardError)
    }

    static func error(_ text: String) {
        let prefix = isErrorTerminal ? "\u{1B}[31merror:\u{1B}[0m " : "error: "
        note(text.split(separator: "\n", omittingEmptySubsequences: false).map { prefix + $0 }.joined(separator: "\n"))
    }

    /// A closed standard output (`| head`) ends the command as it ends every other one.
    static func write(_ data: Data, to handle: FileHandle) {
        do { try handle.write(contentsOf: data) } catch { exit(Exit.failure.rawValue) }
    }

    /// A job's or runner's state, coloured on a terminal.
    static func state(_ state: String) -> String {
        guard isOutputTerminal else { return state }
        let colour =
            switch state {
            case "SUCCEEDED", "IDLE": "32"
            case "FAILED", "TIMED_OUT", "LOST": "31"
            case "CANCELLED": "33"
            default: "36"
            }
        return "\u{1B}[\(colour)m\(state)\u{1B}[0m"
    }

    /// Columns padded to their widest cell. `coloured` gives the column that holds a state.
    static func table(_ header: [String], _ rows: [[String]], stateColumn: Int? = nil) {
        let widths = header.indices.map { column in
            ([header] + rows).map { printable($0[column]).count }.max() ?? 0
        }
        for (index, row) in ([header] + rows).enumerated() {
            let cells = row.enumerated().map { column, cell in
                let text = printable(cell)
                let padding = String(repeating: " ", count: column == row.count - 1 ? 0 : widths[column] - text.count)
                return (index > 0 && column == stateColumn ? state(text) : text) + padding
            }
            print(cells.joined(separator: "  "))
        }
    }

    /// Names come from strangers: control characters must not reach the terminal of the one who looks, nor what looks
    /// like nothing or like a space, nor heaps of marks that cover the lines around.
    package static func printable(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        var marks = 0
        for scalar in text.unicodeScalars {
            marks = scalar.isMark ? marks + 1 : 0
            shown.append(scalar.isUnseen || marks > mostMarks ? "\u{FFFD}" : scalar)
        }
        return String(shown)
    }

    /// On one letter, one after the other; few languages need more.
    private static let mostMarks = 4

    /// JSON that says the same, in which nothing steers a terminal: JSON itself asks for the escape of U+0000 to U+001F
    /// only.
    package static func safe(json: String) -> String {
        var safe = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            guard scalar.steers else {
                safe.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let hex = String(unit, radix: 16)
                let digits = String(repeating: "0", count: 4 - hex.count) + hex
                safe.append(contentsOf: "\\u\(digits)".unicodeScalars)
            }
        }
        return String(safe)
    }
}

extension Unicode.Scalar {
    fileprivate var isMark: Bool {
        [.nonspacingMark, .enclosingMark, .spacingMark].contains(properties.generalCategory)
    }

    /// A line break between values is none that steers.
    fileprivate var steers: Bool {
        switch properties.generalCategory {
        case .control: value >= 0x7F
        case .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// Control characters, what is meant not to be shown (fillers, joiners, variation selectors), spaces that are none,
    /// and what is only somebody's own.
    fileprivate var isUnseen: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        case .spaceSeparator: self != " "
        default: properties.isDefaultIgnorableCodePoint || value == 0x2800
        }
    }
}
