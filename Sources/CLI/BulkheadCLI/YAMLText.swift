// YAMLText: a document as YAML that a person reads and that YAMLSpec reads back to the same document.

package import Documents
import Yams

package enum YAMLText {
    package static func text(_ document: SpecValue) throws -> String {
        try Yams.serialize(node: node(document), width: -1, allowUnicode: true)
    }

    private static func node(_ value: SpecValue) -> Node {
        switch value.content {
        case .null: Node("null", Tag(.null))
        case .bool(let flag): Node(flag ? "true" : "false", Tag(.bool))
        case .integer(let number): Node(String(number), Tag(.int))
        case .float(let number): Node("\(number)", Tag(.float))
        case .string(let text): Node(text, Tag(.str), style(text))
        case .list(let items): Node(items.map { node($0) }, Tag(.seq), isShort(items) ? .flow : .block)
        case .map(let entries): Node(entries.map { (key($0.key), node($0.value)) }, Tag(.map))
        }
    }

    private static func key(_ key: String) -> Node { Node(key, Tag(.str), style(key)) }

    private static func isShort(_ items: [SpecValue]) -> Bool {
        items.allSatisfy {
            switch $0.content {
            case .list, .map: false
            case .string(let text): text.utf8.count < 40
            case .null, .bool, .integer, .float: true
            }
        }
    }

    /// Scripts stay scripts. Whatever is not plainly a word is quoted: YAML takes much for numbers, dates and truths.
    private static func style(_ text: String) -> Node.Scalar.Style {
        let isVisible = text.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) || $0 == "\n" }
        if text.contains("\n"), isVisible, !text.hasPrefix(" "), !text.hasPrefix("\n") { return .literal }
        let isWord =
            isVisible
            && text.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || "0123456789._-/".contains(String($0)) }
            && (text.unicodeScalars.first?.properties.isAlphabetic ?? false)
        let isTaken = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(text.lowercased())
        return isWord && !isTaken ? .plain : .doubleQuoted
    }
}
