// Splits a .wire file into tokens. White space and newlines separate tokens and mean nothing else; a `#` begins a
// comment. Comment lines directly above a token are kept with it: they become documentation.

/// A token with its place.
struct Token: Equatable {
    enum Kind: Equatable {
        case word
        case number
        case string
        case symbol
        case end
    }

    let kind: Kind
    /// As it stands in the file; strings with their quotes.
    let text: String
    let line: Int
    let documentation: [String]
}

/// One pass over the bytes.
struct Lexer {
    private let file: String
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var comments: [String] = []
    private var lastCommentLine = 0

    init(file: String, text: [UInt8]) {
        self.file = file
        bytes = text
    }

    /// All tokens, the last one of kind `end`.
    mutating func tokens() throws(SchemaError) -> [Token] {
        var tokens: [Token] = []
        while true {
            let token = try next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private mutating func next() throws(SchemaError) -> Token {
        try skipSpace()
        guard position < bytes.count else { return token(.end, from: position) }
        let start = position
        switch bytes[position] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            advance(while: Self.isWord)
            return token(.word, from: start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            advance(while: Self.isDigit)
            if bytes[start] == UInt8(ascii: "0") && position > start + 1 { throw error("a number has no leading zero") }
            return token(.number, from: start)
        case UInt8(ascii: "\""):
            try string()
            return token(.string, from: start)
        default:
            try symbol()
            return token(.symbol, from: start)
        }
    }

    private mutating func skipSpace() throws(SchemaError) {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"):
                line += 1
                position += 1
            case UInt8(ascii: " "):
                position += 1
            case UInt8(ascii: "#"):
                try comment()
            default:
                return
            }
        }
    }

    private mutating func comment() throws(SchemaError) {
        let start = position + 1
        advance(while: { $0 != UInt8(ascii: "\n") })
        guard var text = String(validating: bytes[start..<position], as: UTF8.self) else {
            throw error("a comment is not UTF-8")
        }
        if text.hasPrefix(" ") { text.removeFirst() }
        if lastCommentLine != line - 1 { comments = [] }
        comments.append(text)
        lastCommentLine = line
    }

    private mutating func string() throws(SchemaError) {
        position += 1
        advance(while: { $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            throw error("a string is printable ASCII without \" and \\ and ends on its line")
        }
        position += 1
    }

    private mutating func symbol() throws(SchemaError) {
        let pair = Array(bytes[position..<min(position + 2, bytes.count)])
        if pair == Array("..".utf8) || pair == Array("->".utf8) {
            position += 2
        } else if "{}<>[]:=.,".utf8.contains(bytes[position]) {
            position += 1
        } else {
            throw error("unexpected byte 0x\(String(bytes[position], radix: 16))")
        }
    }

    private mutating func token(_ kind: Token.Kind, from start: Int) -> Token {
        let documentation = lastCommentLine == line - 1 ? comments : []
        return Token(
            kind: kind, text: String(decoding: bytes[start..<position], as: UTF8.self), line: line,
            documentation: documentation)
    }

    private mutating func advance(while belongs: (UInt8) -> Bool) {
        while position < bytes.count, belongs(bytes[position]) { position += 1 }
    }

    private func error(_ message: String) -> SchemaError {
        SchemaError(file: file, line: line, message: message)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
    }
}
