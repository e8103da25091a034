// errors.wire becomes ErrorCode: a struct and not an enum, since a newer peer may send a code that we do not know.

extension SwiftGenerator {
    mutating func errorCodes() {
        let entries = set.errors.errors.sorted { $0.code < $1.code }
        out.line()
        out.line("/// A code of the registry. Codes of a newer peer are kept as they are; `isRecognized` tells.")
        out.block("package struct ErrorCode: RawRepresentable, Hashable, Sendable") { out in
            out.line("package let rawValue: UInt16")
            out.line()
            out.block("package init(rawValue: UInt16)") { $0.line("self.rawValue = rawValue") }
            out.line()
            for entry in entries {
                out.line("/// \(entry.text)")
                out.line("package static let \(SwiftName.declared(entry.name)) = ErrorCode(rawValue: \(entry.code))")
            }
        }
        out.line()
        out.block("extension ErrorCode") { out in
            out.line("/// All codes of the registry, ascending.")
            out.line("package static let all: [ErrorCode] = [")
            for entry in entries { out.line("    .\(SwiftName.plain(entry.name)),") }
            out.line("]")
            out.line()
            for line in Self.properties { out.line(line) }
            out.block("private var row: (name: String, retry: RetryClass, text: String)?") { out in
                out.block("switch rawValue") { out in
                    for entry in entries {
                        out.line("case \(entry.code): (\"\(entry.name)\", .\(entry.retry), \"\(entry.text)\")")
                    }
                    out.line("default: nil")
                }
            }
        }
    }

    private static let properties = [
        "/// Is the code in the registry that this build knows?",
        "package var isRecognized: Bool { row != nil }",
        "",
        "/// The registry's name; `unrecognized` for a code that is not in it.",
        "package var name: String { row?.name ?? \"unrecognized\" }",
        "",
        "/// What the code means, in general; a failure's own text says what happened.",
        "package var summary: String { row?.text ?? \"unrecognized error \\(rawValue)\" }",
        "",
        "/// What the caller may do. An unrecognized code is not worth a retry.",
        "package var retry: RetryClass { row?.retry ?? .never }",
        "",
    ]
}
