// What the grammar cannot say: names that exist, numbers used once, bounds in order, no recursion, descriptors only
// where a frame can carry them. It collects all mistakes, each with its line.

struct Checker {
    private let set: SchemaSet
    private(set) var problems: [SchemaError] = []
    private var file = ""
    private var scope: [String: Declaration] = [:]

    /// Above this nothing is framed, whatever an edge says.
    static let largestFrame: UInt64 = 1 << 20
    static let descriptorKinds = ["file_read", "pipe_write", "stream_socket"]

    init(set: SchemaSet) {
        self.set = set
    }

    mutating func run() {
        var edgeNumbers: Set<UInt64> = []
        for schema in [set.types, set.link] + set.edges {
            file = schema.fileName
            scope = set.visible(in: schema)
            if let edge = schema.edge {
                if !edgeNumbers.insert(edge.number).inserted {
                    report(edge.line, "edge number \(edge.number) is taken")
                }
                check(edge)
            }
            check(schema)
        }
        file = set.errors.fileName
        checkErrors()
    }

    private mutating func check(_ edge: EdgeHeader) {
        range(edge.number, 1...255, "edge number", edge.line)
        range(edge.major, 1...65535, "major version", edge.line)
        range(edge.minor, 0...65535, "minor version", edge.line)
        range(edge.limit, 1024...Self.largestFrame, "limit", edge.line)
        for role in [edge.client, edge.server] where !set.roles.contains(role) {
            report(edge.line, "there is no role \(role)")
        }
        unique(edge.phases.map { ($0, edge.line) }, "phase")
        range(UInt64(edge.phases.count), 1...64, "number of phases", edge.line)
    }

    private mutating func check(_ schema: SchemaFile) {
        for name in schema.uses where name != "types" || schema.edge == nil {
            report(1, "use \(name): an edge can use types, and nothing else can be used")
        }
        unique(schema.declarations.map { ($0.name, $0.line) }, "declaration")
        for declaration in schema.declarations {
            let shared =
                schema.edge == nil ? [] : set.link.declarations + (schema.uses.isEmpty ? [] : set.types.declarations)
            if shared.contains(where: { $0.name == declaration.name }) {
                report(declaration.line, "\(declaration.name) is already declared in a shared file")
            }
            check(declaration, in: schema)
        }
        let numbered = schema.declarations.compactMap { declaration -> (String, Int)? in
            switch declaration.body {
            case .message(let number, _): (String(number), declaration.line)
            case .operation(let operation): (String(operation.number), declaration.line)
            default: nil
            }
        }
        unique(numbered, "message number")
        if schema.edge != nil { checkUnused(schema) }
    }

    private mutating func check(_ declaration: Declaration, in schema: SchemaFile) {
        switch declaration.body {
        case .enumeration(let bytes, let cases):
            check(cases, in: declaration, most: bytes == 4 ? UInt64(UInt32.max) : 1 << (8 * UInt64(bytes)) - 1)
        case .structure(let fields):
            check(fields, descriptors: false)
            if reaches(declaration.name, declaration, [declaration.name]) {
                report(declaration.line, "\(declaration.name) contains itself")
            }
        case .union(let cases):
            check(cases, in: declaration, most: 255)
            for item in cases { checkPayload(item) }
            if reaches(declaration.name, declaration, [declaration.name]) {
                report(declaration.line, "\(declaration.name) contains itself")
            }
        case .message(let number, let fields):
            if schema.kind != .link {
                report(declaration.line, "message belongs into link.wire; an edge has call and stream")
            }
            range(number, 1...65535, "message number", declaration.line)
            check(fields, descriptors: false)
        case .operation(let operation):
            guard let edge = schema.edge else {
                report(declaration.line, "calls and streams belong into an edge's file")
                return
            }
            check(operation, declaration, edge)
        }
    }

    private mutating func check(_ operation: Operation, _ declaration: Declaration, _ edge: EdgeHeader) {
        let line = declaration.line
        range(operation.number, 1...65535, "message number", line)
        if operation.since > edge.minor {
            report(line, "since \(operation.since) is above the edge's version \(edge.major).\(edge.minor)")
        }
        for phase in operation.phases + (operation.next.map { [$0] } ?? []) where !edge.phases.contains(phase) {
            report(line, "there is no phase \(phase)")
        }
        unique(operation.phases.map { ($0, line) }, "phase")
        if operation.isStream && operation.next != nil { report(line, "only a call changes the phase") }
        check(operation.request, descriptors: true)
        check(operation.answer, descriptors: true)
    }
}

// MARK: - Fields and cases

extension Checker {
    private mutating func check(_ fields: [Field], descriptors: Bool) {
        unique(fields.map { ($0.name, $0.line) }, "field")
        for field in fields {
            if case .fd(let kind) = field.type {
                if !descriptors { report(field.line, "a descriptor stands only directly in a request, reply or item") }
                if !Self.descriptorKinds.contains(kind) { report(field.line, "there is no descriptor kind \(kind)") }
            } else {
                check(field.type, field.line)
            }
        }
    }

    private mutating func check(_ type: TypeReference, _ line: Int) {
        switch type {
        case .fixed(let length):
            if length != 16 && length != 32 { report(line, "bytes[\(length)]: only bytes[16] and bytes[32] exist") }
        case .bytes(let low, let high), .text(let low, let high):
            bounds(low, high, Int(Self.largestFrame), line)
        case .list(let element, let low, let high):
            bounds(low, high, 65535, line)
            checkElement(element, line)
        case .option(let value):
            checkElement(value, line)
        case .named(let name):
            switch scope[name]?.body {
            case nil: report(line, "there is no type \(name)")
            case .message, .operation: report(line, "\(name) is a message, not a type")
            default: break
            }
        case .fd, .u8, .u16, .u32, .u64, .i64, .bool: break
        }
    }

    private mutating func checkElement(_ type: TypeReference, _ line: Int) {
        switch type {
        case .list, .option: report(line, "a list or option in a list or option: put a struct between them")
        case .fd: report(line, "a descriptor stands only directly in a request, reply or item")
        default: check(type, line)
        }
    }

    private mutating func check(_ cases: [Case], in declaration: Declaration, most: UInt64) {
        if cases.isEmpty { report(declaration.line, "\(declaration.name) has no cases") }
        unique(cases.map { ($0.name, $0.line) }, "case")
        unique(cases.map { (String($0.value), $0.line) }, "value")
        for item in cases { range(item.value, 1...most, "value", item.line) }
    }

    private mutating func checkPayload(_ item: Case) {
        if case .structure = scope[item.payload ?? ""]?.body { return }
        report(item.line, "the payload of \(item.name) is not a struct that exists")
    }

    private mutating func checkErrors() {
        let entries = set.errors.errors
        unique(entries.map { ($0.name, $0.line) }, "error")
        unique(entries.map { (String($0.code), $0.line) }, "code")
        for entry in entries {
            range(entry.code, 1...65535, "code", entry.line)
            if !["never", "fix", "later"].contains(entry.retry) {
                report(entry.line, "a retry class is never, fix or later, not \(entry.retry)")
            }
        }
    }

    private mutating func checkUnused(_ schema: SchemaFile) {
        var used: Set<String> = []
        for declaration in schema.declarations { used.formUnion(Canonical.names(in: declaration)) }
        for declaration in schema.declarations {
            if case .operation = declaration.body { continue }
            if !used.contains(declaration.name) { report(declaration.line, "\(declaration.name) is used nowhere") }
        }
    }

    private func reaches(_ target: String, _ declaration: Declaration, _ seen: Set<String>) -> Bool {
        for name in Canonical.names(in: declaration) {
            if name == target { return true }
            if seen.contains(name) { continue }
            if let next = scope[name], reaches(target, next, seen.union([name])) { return true }
        }
        return false
    }
}

// MARK: - Reports

extension Checker {
    private mutating func report(_ line: Int, _ message: String) {
        problems.append(SchemaError(file: file, line: line, message: message))
    }

    private mutating func unique(_ names: [(String, Int)], _ what: String) {
        var seen: Set<String> = []
        for (name, line) in names where !seen.insert(name).inserted { report(line, "\(what) \(name) stands twice") }
    }

    private mutating func range(_ value: UInt64, _ allowed: ClosedRange<UInt64>, _ what: String, _ line: Int) {
        if !allowed.contains(value) {
            report(line, "\(what) \(value) is outside \(allowed.lowerBound)...\(allowed.upperBound)")
        }
    }

    private mutating func bounds(_ low: Int, _ high: Int, _ most: Int, _ line: Int) {
        if low > high { report(line, "bounds \(low)..\(high) are in the wrong order") }
        if high > most { report(line, "upper bound \(high) is above \(most)") }
        if high == 0 { report(line, "upper bound 0: leave the field out") }
    }
}
