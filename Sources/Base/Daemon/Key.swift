// The settings that a daemon takes: declared once, from which the reading, the checks and the help text follow.

/// One setting, `--name value`.
package struct Key: Sendable {
    /// What values there are.
    package enum Kind: Sendable {
        case string
        /// A whole number with its range, and its unit (`seconds`, `bytes`) if it has one.
        case int(ClosedRange<Int>, unit: String? = nil)
        /// `true` or `false`.
        case bool
        /// An absolute path.
        case path
        /// A user's number. Names would have the C library load the host's modules into the daemon: who starts it looks
        /// them up.
        case uid
        /// Values with commas between them.
        case list
        case choice([String])
    }

    package let name: String
    package let kind: Kind
    /// What it is for; one sentence.
    package let help: String
    /// The text that stands for it when it is not given.
    package let fallback: String?
    package let isRequired: Bool

    private init(_ name: String, _ kind: Kind, _ help: String, fallback: String?, isRequired: Bool) {
        self.name = name
        self.kind = kind
        self.help = help
        self.fallback = fallback
        self.isRequired = isRequired
    }

    /// The daemon does not start without it.
    package static func required(_ name: String, _ kind: Kind, _ help: String) -> Key {
        Key(name, kind, help, fallback: nil, isRequired: true)
    }

    /// It may be missing; the daemon asks with the `optional` accessors.
    package static func optional(_ name: String, _ kind: Kind, _ help: String) -> Key {
        Key(name, kind, help, fallback: nil, isRequired: false)
    }

    /// It has a value of its own when it is missing, in the form of the command line.
    package static func defaulted(_ name: String, _ kind: Kind, _ fallback: String, _ help: String) -> Key {
        Key(name, kind, help, fallback: fallback, isRequired: false)
    }

    /// The lines of the help text.
    var helpText: String {
        let remark = isRequired ? "required" : fallback.map { "default: \($0)" } ?? "optional"
        let remarks = [range, remark].compactMap { $0 }.joined(separator: "; ")
        return "  --\(name) \(placeholder)\n      \(help) (\(remarks))\n"
    }

    private var placeholder: String {
        switch kind {
        case .string: "TEXT"
        case .int(_, let unit): unit?.uppercased() ?? "NUMBER"
        case .bool: "true|false"
        case .path: "PATH"
        case .uid: "USER"
        case .list: "A,B,..."
        case .choice(let names): names.joined(separator: "|")
        }
    }

    private var range: String? {
        guard case .int(let range, let unit) = kind else { return nil }
        return "\(range.lowerBound) to \(range.upperBound)" + (unit.map { " \($0)" } ?? "")
    }
}
