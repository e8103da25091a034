// The tree of a .wire file, as the parser makes it and the generators read it.

/// A field's type.
package indirect enum TypeReference: Hashable, Sendable {
    case u8
    case u16
    case u32
    case u64
    case i64
    case bool
    case fixed(Int)
    case bytes(Int, Int)
    case text(Int, Int)
    case list(TypeReference, Int, Int)
    case option(TypeReference)
    case fd(String)
    case named(String)
}

package struct Field: Hashable, Sendable {
    package let name: String
    package let type: TypeReference
    package let line: Int
    package let documentation: [String]
}

/// A case of an enum (`payload` nil) or of a union (`payload` is a struct).
package struct Case: Hashable, Sendable {
    package let name: String
    package let value: UInt64
    package let payload: String?
    package let line: Int
    package let documentation: [String]
}

/// A call or a stream.
package struct Operation: Hashable, Sendable {
    package let number: UInt64
    package let isStream: Bool
    package let since: UInt64
    package let from: String
    package let phases: [String]
    package let next: String?
    package let request: [Field]
    /// The reply of a call, the item of a stream.
    package let answer: [Field]
}

package struct Declaration: Hashable, Sendable {
    package enum Body: Hashable, Sendable {
        /// `bytes`: 1, 2 or 4.
        case enumeration(bytes: Int, cases: [Case])
        case structure([Field])
        case union([Case])
        case message(number: UInt64, fields: [Field])
        case operation(Operation)
    }

    package let name: String
    package let body: Body
    package let line: Int
    package let documentation: [String]
    /// The declaration's tokens with one space between them: what the canonical hash is taken over.
    package let canonical: String
}

/// The `edge` block.
package struct EdgeHeader: Hashable, Sendable {
    package let number: UInt64
    package let major: UInt64
    package let minor: UInt64
    package let limit: UInt64
    package let client: String
    package let server: String
    package let phases: [String]
    package let line: Int
}

package struct ErrorEntry: Hashable, Sendable {
    package let name: String
    package let code: UInt64
    package let retry: String
    package let text: String
    package let line: Int
}

/// One .wire file.
package struct SchemaFile: Sendable {
    package enum Kind: Hashable, Sendable {
        case types
        case link
        case errors
        case edge(EdgeHeader)
    }

    /// Without `.wire`.
    package let name: String
    package let kind: Kind
    package let uses: [String]
    package let declarations: [Declaration]
    package let errors: [ErrorEntry]
    package let documentation: [String]
    /// SHA-256 of the file's bytes, hex.
    package let sha256: String

    package var fileName: String { name + ".wire" }

    package var edge: EdgeHeader? {
        if case .edge(let header) = kind { header } else { nil }
    }

    /// In the order of their numbers.
    package var operations: [(declaration: Declaration, operation: Operation)] {
        declarations.compactMap { declaration in
            if case .operation(let operation) = declaration.body { (declaration, operation) } else { nil }
        }.sorted { $0.operation.number < $1.operation.number }
    }
}
