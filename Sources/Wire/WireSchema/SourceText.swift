// Indented lines and names in Swift's spelling: what the Swift generator writes with.

/// Collects lines; `block` indents.
struct SourceText {
    private(set) var lines: [String] = []
    private var depth = 0

    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func line(_ text: String = "") {
        lines.append(text.isEmpty ? "" : String(repeating: " ", count: depth * 4) + text)
    }

    /// `head {`, the indented body, `}`.
    mutating func block(_ head: String, _ body: (inout SourceText) -> Void) {
        line(head + " {")
        depth += 1
        body(&self)
        depth -= 1
        line("}")
    }

    /// A block, or `head {}` when there is nothing to put in.
    mutating func body(_ head: String, _ filled: Bool, _ body: (inout SourceText) -> Void) {
        if filled {
            block(head, body)
        } else {
            line(head + " {}")
        }
    }

    mutating func documentation(_ comments: [String]) {
        for comment in comments { line(comment.isEmpty ? "///" : "/// " + comment) }
    }

    /// `head(a, b) tail`, one argument a line where it would be longer than a line may be.
    mutating func call(_ head: String, _ arguments: [String], _ tail: String = "") {
        let whole = head + "(" + arguments.joined(separator: ", ") + ")" + tail
        if whole.count + depth * 4 <= 118 {
            line(whole)
            return
        }
        line(head + "(")
        depth += 1
        for (index, argument) in arguments.enumerated() {
            line(argument + (index == arguments.count - 1 ? "" : ","))
        }
        depth -= 1
        line(")" + tail)
    }
}

enum SwiftName {
    /// snake_case -> camelCase.
    static func plain(_ snake: String) -> String {
        let parts = snake.split(separator: "_")
        return parts.enumerated().map { index, part in
            index == 0 ? String(part) : part.prefix(1).uppercased() + part.dropFirst()
        }.joined()
    }

    /// As a declared name: keywords in backticks.
    static func declared(_ snake: String) -> String {
        let name = plain(snake)
        return keywords.contains(name) ? "`\(name)`" : name
    }

    private static let keywords: Set<String> = [
        "as", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum",
        "extension", "fallthrough", "false", "for", "func", "guard", "if", "import", "in", "init", "inout", "internal",
        "is", "let", "nil", "operator", "private", "protocol", "public", "repeat", "return", "self", "static",
        "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var", "where",
        "while",
    ]
}
