// SpecValue: a document as its author wrote it, before anybody believes a word of it.
// The CLI makes one from YAML, with lines; apid makes one from JSON. JobFile reads it.

/// Where in a document something stands. Line and column count from 1.
package struct Place: Equatable, Sendable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A value of a YAML or JSON document, with its place where the reader knows it.
package struct SpecValue: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        case null
        case bool(Bool)
        case integer(Int64)
        case float(Double)
        case string(String)
        case list([SpecValue])
        case map([Entry])
    }

    /// One key of a map. Maps keep their order, and duplicates: JobFile refuses those, a dictionary would hide them.
    package struct Entry: Equatable, Sendable {
        package let key: String
        package let place: Place?
        package let value: SpecValue

        package init(key: String, place: Place? = nil, value: SpecValue) {
            self.key = key
            self.place = place
            self.value = value
        }
    }

    package let content: Content
    package let place: Place?

    package init(_ content: Content, place: Place? = nil) {
        self.content = content
        self.place = place
    }

    /// What a person calls this kind of value, for error texts.
    package var kind: String {
        switch content {
        case .null: "nothing"
        case .bool: "true or false"
        case .integer: "a whole number"
        case .float: "a number"
        case .string: "a text"
        case .list: "a list"
        case .map: "a mapping"
        }
    }
}
