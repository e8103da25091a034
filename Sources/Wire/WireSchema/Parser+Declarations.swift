// The rules of the grammar for declarations, fields and types.

extension Parser {
    mutating func declaration() throws(SchemaError) -> Declaration {
        let start = mark
        let keyword = take()
        let name: String
        let body: Declaration.Body
        switch keyword.text {
        case "enum":
            name = try camel("an enum's name")
            body = try enumeration()
        case "struct":
            name = try camel("a struct's name")
            body = .structure(try fields())
        case "union":
            name = try camel("a union's name")
            try expect(":")
            try expect("u8")
            body = .union(try cases(payload: true))
        case "message":
            name = try camel("a message's name")
            try expect("=")
            body = .message(number: try number(), fields: try fields())
        case "call", "stream":
            name = try camel("a name")
            body = .operation(try operation(isStream: keyword.text == "stream"))
        default:
            throw error("expected enum, struct, union, message, call or stream, found \(describe(keyword))", keyword)
        }
        return Declaration(
            name: name, body: body, line: keyword.line, documentation: keyword.documentation,
            canonical: canonical(from: start))
    }

    private mutating func enumeration() throws(SchemaError) -> Declaration.Body {
        try expect(":")
        let width = take()
        guard let bytes = ["u8": 1, "u16": 2, "u32": 4][width.text] else {
            throw error("an enum is u8, u16 or u32, not \(describe(width))", width)
        }
        return .enumeration(bytes: bytes, cases: try cases(payload: false))
    }

    private mutating func cases(payload: Bool) throws(SchemaError) -> [Case] {
        try expect("{")
        var cases: [Case] = []
        while peek.text != "}" {
            let first = peek
            let name = try snake("a case's name")
            try expect("=")
            let value = try number()
            var type: String?
            if payload {
                try expect(":")
                type = try camel("a struct's name")
            }
            cases.append(
                Case(name: name, value: value, payload: type, line: first.line, documentation: first.documentation))
        }
        try expect("}")
        return cases
    }

    private mutating func operation(isStream: Bool) throws(SchemaError) -> Operation {
        try expect("=")
        let number = try number()
        var since: UInt64 = 0
        if peek.text == "since" {
            advance()
            since = try self.number()
        }
        try expect("from")
        let from = take()
        guard from.text == "client" || from.text == "server" else {
            throw error("expected client or server, found \(describe(from))", from)
        }
        try expect("in")
        var phases = [try snake("a phase")]
        while peek.text == "," {
            advance()
            phases.append(try snake("a phase"))
        }
        var next: String?
        if peek.text == "->" {
            advance()
            next = try snake("a phase")
        }
        try expect("{")
        try expect("request")
        let request = try fields()
        try expect(isStream ? "item" : "reply")
        let answer = try fields()
        try expect("}")
        return Operation(
            number: number, isStream: isStream, since: since, from: from.text, phases: phases, next: next,
            request: request, answer: answer)
    }

    private mutating func fields() throws(SchemaError) -> [Field] {
        try expect("{")
        var fields: [Field] = []
        while peek.text != "}" {
            let first = peek
            let name = try snake("a field's name")
            try expect(":")
            fields.append(Field(name: name, type: try type(), line: first.line, documentation: first.documentation))
        }
        try expect("}")
        return fields
    }

    private mutating func type() throws(SchemaError) -> TypeReference {
        let token = peek
        if token.text.first?.isUppercase == true { return .named(try camel("a type")) }
        advance()
        switch token.text {
        case "u8": return .u8
        case "u16": return .u16
        case "u32": return .u32
        case "u64": return .u64
        case "i64": return .i64
        case "bool": return .bool
        case "bytes": return try bytes()
        case "text":
            let bounds = try bounds()
            return .text(bounds.0, bounds.1)
        case "list":
            let element = try argument()
            let bounds = try bounds()
            return .list(element, bounds.0, bounds.1)
        case "option": return .option(try argument())
        case "fd":
            try expect("<")
            let kind = try snake("a kind of descriptor")
            try expect(">")
            return .fd(kind)
        default: throw error("\(describe(token)) is not a type", token)
        }
    }

    private mutating func bytes() throws(SchemaError) -> TypeReference {
        if peek.text == "[" {
            advance()
            let length = try number()
            try expect("]")
            return .fixed(Int(length))
        }
        let bounds = try bounds()
        return .bytes(bounds.0, bounds.1)
    }

    private mutating func argument() throws(SchemaError) -> TypeReference {
        try expect("<")
        let type = try type()
        try expect(">")
        return type
    }

    private mutating func bounds() throws(SchemaError) -> (Int, Int) {
        try expect("<")
        let low = try number()
        try expect("..")
        let high = try number()
        try expect(">")
        return (Int(low), Int(high))
    }
}
