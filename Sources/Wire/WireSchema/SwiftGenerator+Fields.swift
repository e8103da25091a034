// Structs: stored properties, initialiser, decoder, encoder, one statement a field.

extension SwiftGenerator {
    /// - Parameters:
    ///   - after: lines at the end of the struct.
    ///   - extra: writes the lines at the top of the struct.
    mutating func structure(
        _ name: String, _ conformance: String, _ fields: [Field], after: [String] = [],
        extra: (inout SourceText) -> Void = { _ in }
    ) {
        let stored = fields.filter { if case .fd = $0.type { false } else { true } }
        let context = path.isEmpty ? name : path + "." + name
        let scope = scope
        out.block("package struct \(name): \(conformance)") { out in
            extra(&out)
            for field in fields {
                out.documentation(field.documentation)
                if case .fd(let kind) = field.type {
                    out.line("// \(field.name): fd<\(kind)>, beside the bytes")
                } else {
                    out.line("package var \(SwiftName.declared(field.name)): \(Self.swiftType(field.type))")
                }
            }
            if !fields.isEmpty { out.line() }
            Self.initializer(stored, &out)
            out.line()
            out.body("package init(from reader: inout WireReader) throws(WireError)", !stored.isEmpty) { out in
                for field in stored { Self.decode(field, context, scope, &out) }
            }
            out.line()
            out.body("package func encode(to writer: inout WireWriter) throws(WireError)", !stored.isEmpty) { out in
                for field in stored { Self.encode(field, context, &out) }
            }
            if !after.isEmpty { out.line() }
            for line in after { out.line(line) }
        }
    }

    private static func initializer(_ fields: [Field], _ out: inout SourceText) {
        guard !fields.isEmpty else {
            out.line("package init() {}")
            return
        }
        let arguments = fields.map { "\(SwiftName.declared($0.name)): \(swiftType($0.type))" }
        out.call("package init", arguments, " {")
        for field in fields {
            out.line("    self.\(SwiftName.plain(field.name)) = \(SwiftName.declared(field.name))")
        }
        out.line("}")
    }

    private static func swiftType(_ type: TypeReference) -> String {
        switch type {
        case .u8: "UInt8"
        case .u16: "UInt16"
        case .u32: "UInt32"
        case .u64: "UInt64"
        case .i64: "Int64"
        case .bool: "Bool"
        case .fixed(let length): "Bytes\(length)"
        case .bytes: "[UInt8]"
        case .text: "String"
        case .list(let element, _, _): "[\(swiftType(element))]"
        case .option(let value): "\(swiftType(value))?"
        case .fd: "Never"
        case .named(let name): name
        }
    }

    // MARK: Decoding

    private static func decode(
        _ field: Field, _ context: String, _ scope: [String: Declaration], _ out: inout SourceText
    ) {
        let name = SwiftName.plain(field.name)
        let place = "\(context).\(field.name)"
        switch field.type {
        case .list(let element, let low, let high):
            let each = EncodedSize.of(element, in: scope).least
            out.block("do") { out in
                out.line("let count = try reader.count(\(low), \(high), each: \(each), \"\(place)\")")
                out.line("var list: [\(swiftType(element))] = []")
                out.line("list.reserveCapacity(count)")
                out.line("for _ in 0..<count { list.append(\(read(element, place))) }")
                out.line("self.\(name) = list")
            }
        case .option(let value):
            out.line("self.\(name) = try reader.present() ? \(read(value, place)) : nil")
        default:
            out.line("self.\(name) = \(read(field.type, place))")
        }
    }

    private static func read(_ type: TypeReference, _ place: String) -> String {
        switch type {
        case .u8: "try reader.u8()"
        case .u16: "try reader.u16()"
        case .u32: "try reader.u32()"
        case .u64: "try reader.u64()"
        case .i64: "try reader.i64()"
        case .bool: "try reader.bool()"
        case .fixed(let length): "try reader.bytes\(length)()"
        case .bytes(let low, let high): "try reader.bytes(\(label(high)): \(low), \(high), \"\(place)\")"
        case .text(let low, let high): "try reader.text(\(label(high)): \(low), \(high), \"\(place)\")"
        case .named(let name): "try \(name)(from: &reader)"
        case .list, .option, .fd: ""
        }
    }

    // MARK: Encoding

    private static func encode(_ field: Field, _ context: String, _ out: inout SourceText) {
        let name = SwiftName.declared(field.name)
        let place = "\(context).\(field.name)"
        switch field.type {
        case .list(let element, let low, let high):
            out.line("try writer.count(\(name).count, \(low), \(high), \"\(place)\")")
            out.line("for element in \(name) { \(write(element, "element", place)) }")
        case .option(let value):
            out.line("writer.present(\(name) != nil)")
            out.line("if let value = \(name) { \(write(value, "value", place)) }")
        default:
            out.line(write(field.type, name, place))
        }
    }

    private static func write(_ type: TypeReference, _ value: String, _ place: String) -> String {
        switch type {
        case .u8: "writer.u8(\(value))"
        case .u16: "writer.u16(\(value))"
        case .u32: "writer.u32(\(value))"
        case .u64: "writer.u64(\(value))"
        case .i64: "writer.i64(\(value))"
        case .bool: "writer.bool(\(value))"
        case .fixed(let length): "writer.bytes\(length)(\(value))"
        case .bytes(let low, let high): "try writer.bytes(\(label(high)): \(value), \(low), \(high), \"\(place)\")"
        case .text(let low, let high): "try writer.text(\(label(high)): \(value), \(low), \(high), \"\(place)\")"
        case .named: "try \(value).encode(to: &writer)"
        case .list, .option, .fd: ""
        }
    }

    private static func label(_ high: Int) -> String {
        EncodedSize.prefix(high) == 2 ? "short" : "long"
    }
}
