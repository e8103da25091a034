// Reads one .wire file into a SchemaFile. The grammar is proto-spec/GRAMMAR.md; each method here is one of its rules.

import Crypto

/// A recursive-descent parser that stops at the first mistake.
package struct Parser {
    let file: String
    private var tokens: [Token] = []
    private var position = 0

    private init(file: String) {
        self.file = file
    }

    /// - Parameters:
    ///   - name: the file's name without `.wire`
    ///   - bytes: the whole file
    package static func parse(name: String, bytes: [UInt8]) throws(SchemaError) -> SchemaFile {
        var parser = Parser(file: name + ".wire")
        var lexer = Lexer(file: parser.file, text: bytes)
        parser.tokens = try lexer.tokens()
        return try parser.file(name: name, sha256: sha256(bytes))
    }

    static func sha256(_ bytes: some Sequence<UInt8>) -> String {
        SHA256.hash(data: Array(bytes)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    private mutating func file(name: String, sha256: String) throws(SchemaError) -> SchemaFile {
        let documentation = peek.documentation
        var uses: [String] = []
        while peek.text == "use" {
            advance()
            uses.append(try snake("a file's name"))
        }
        let kind = try kind(name)
        var declarations: [Declaration] = []
        var errors: [ErrorEntry] = []
        while peek.kind != .end {
            if kind == .errors {
                errors.append(try errorEntry())
            } else {
                declarations.append(try declaration())
            }
        }
        return SchemaFile(
            name: name, kind: kind, uses: uses, declarations: declarations, errors: errors,
            documentation: documentation, sha256: sha256)
    }

    private mutating func kind(_ name: String) throws(SchemaError) -> SchemaFile.Kind {
        let token = take()
        switch token.text {
        case "types": return .types
        case "link": return .link
        case "errors": return .errors
        case "edge": return .edge(try edge(name, line: token.line))
        default: throw error("expected types, link, errors or edge, found \(describe(token))", token)
        }
    }

    private mutating func edge(_ name: String, line: Int) throws(SchemaError) -> EdgeHeader {
        let found = peek
        if try snake("the edge's name") != name { throw error("the edge in \(file) is called \(name)", found) }
        try expect("{")
        try expect("number")
        let number = try number()
        try expect("version")
        let major = try self.number()
        try expect(".")
        let minor = try self.number()
        try expect("limit")
        let limit = try self.number()
        try expect("client")
        let client = try snake("a role")
        try expect("server")
        let server = try snake("a role")
        try expect("phases")
        var phases = [try snake("a phase")]
        while peek.text != "}" { phases.append(try snake("a phase")) }
        try expect("}")
        return EdgeHeader(
            number: number, major: major, minor: minor, limit: limit, client: client, server: server,
            phases: phases, line: line)
    }

    private mutating func errorEntry() throws(SchemaError) -> ErrorEntry {
        let line = peek.line
        let name = try snake("an error's name")
        try expect("=")
        let code = try number()
        let retry = try snake("a retry class")
        let text = take()
        guard text.kind == .string else { throw error("expected a string, found \(describe(text))", text) }
        return ErrorEntry(
            name: name, code: code, retry: retry, text: String(text.text.dropFirst().dropLast()), line: line)
    }
}

// MARK: - Tokens

extension Parser {
    var peek: Token { tokens[position] }

    /// The tokens from `start` to here, with one space between them.
    func canonical(from start: Int) -> String {
        tokens[start..<position].map(\.text).joined(separator: " ")
    }

    var mark: Int { position }

    mutating func advance() {
        if position < tokens.count - 1 { position += 1 }
    }

    mutating func take() -> Token {
        let token = peek
        advance()
        return token
    }

    mutating func expect(_ text: String) throws(SchemaError) {
        let token = take()
        if token.text != text || token.kind == .string || token.kind == .end {
            throw error("expected \(text), found \(describe(token))", token)
        }
    }

    mutating func number() throws(SchemaError) -> UInt64 {
        let token = take()
        guard token.kind == .number else { throw error("expected a number, found \(describe(token))", token) }
        guard let value = UInt64(token.text), value <= UInt64(UInt32.max) else {
            throw error("\(token.text) is above 4294967295", token)
        }
        return value
    }

    /// lower_case_with_underscores
    mutating func snake(_ what: String) throws(SchemaError) -> String {
        let token = take()
        let parts = token.text.split(separator: "_", omittingEmptySubsequences: false)
        guard token.kind == .word, parts.allSatisfy({ !$0.isEmpty }), token.text.first?.isLowercase == true,
            !token.text.contains(where: \.isUppercase)
        else {
            throw error("expected \(what) in lower_case, found \(describe(token))", token)
        }
        return token.text
    }

    /// UpperCamelCase
    mutating func camel(_ what: String) throws(SchemaError) -> String {
        let token = take()
        guard token.kind == .word, token.text.first?.isUppercase == true, !token.text.contains("_") else {
            throw error("expected \(what) in UpperCamelCase, found \(describe(token))", token)
        }
        return token.text
    }

    func error(_ message: String, _ token: Token) -> SchemaError {
        SchemaError(file: file, line: token.line, message: message)
    }

    func describe(_ token: Token) -> String {
        token.kind == .end ? "the end of the file" : token.text
    }
}
