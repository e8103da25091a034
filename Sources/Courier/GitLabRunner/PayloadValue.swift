// PayloadValue: one value of a job's document and how it is called in a sentence. Nothing of it is believed: each
// reader says what it has to be, and how long it may be.

import Documents
import Exchange
import ForgeCalls

/// Why a job is not run, in a sentence for its author.
struct JobRefused: Error, Equatable {
    let sentence: String
    /// It is a job for others; the alternative is that it is none.
    let isUnsupported: Bool

    static func unsupported(_ sentence: String) -> JobRefused {
        JobRefused(sentence: sentence, isUnsupported: true)
    }

    static func malformed(_ path: String, _ problem: String) -> JobRefused {
        JobRefused(sentence: "what GitLab says of this job cannot be read: \(path) \(problem)", isUnsupported: false)
    }

    /// A stranger's words for a sentence.
    static func shown(_ text: String) -> String { Wording.short(text, 80) }
}

struct PayloadValue {
    let content: SpecValue.Content
    let path: String

    init(_ content: SpecValue.Content, path: String) {
        self.content = content
        self.path = path
    }

    /// The value of a key; null where there is none. A key that is there twice, or once more in other letters, is none
    /// of which anybody knows what it means.
    func member(_ key: String) throws(JobRefused) -> PayloadValue {
        let inner = path.isEmpty ? key : "\(path).\(key)"
        switch content {
        case .null: return PayloadValue(.null, path: inner)
        case .map(let entries):
            let found = entries.filter { $0.key.utf8.elementsEqual(key.utf8) { Self.folded($0) == Self.folded($1) } }
            guard let entry = found.first else { return PayloadValue(.null, path: inner) }
            guard found.count == 1, entry.key.utf8.elementsEqual(key.utf8) else {
                throw .malformed(inner, "is there twice")
            }
            return PayloadValue(entry.value.content, path: inner)
        default: throw .malformed(path, "is no map")
        }
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// The keys of a map; none of null.
    func keys() throws(JobRefused) -> [String] {
        switch content {
        case .null: return []
        case .map(let entries): return entries.map(\.key)
        default: throw .malformed(path, "is no map")
        }
    }

    /// The members of a list; none of null.
    func list(_ most: Int) throws(JobRefused) -> [PayloadValue] {
        switch content {
        case .null: return []
        case .list(let items):
            guard items.count <= most else { throw .malformed(path, "has \(items.count) members; at most \(most) fit") }
            return items.enumerated().map { PayloadValue($1.content, path: "\(path)[\($0)]") }
        default: throw .malformed(path, "is no list")
        }
    }

    var isNull: Bool { content == .null }

    /// Whether it says nothing: null, false, an empty text, or a list or a map in which nothing says something.
    var isNothing: Bool { Self.isNothing(content) }

    private static func isNothing(_ content: SpecValue.Content) -> Bool {
        switch content {
        case .null: true
        case .bool(let flag): !flag
        case .integer, .float: false
        case .string(let text): text.isEmpty
        case .list(let items): items.allSatisfy { isNothing($0.content) }
        case .map(let entries): entries.allSatisfy { isNothing($0.value.content) }
        }
    }

    // MARK: values

    /// False where there is nothing.
    func flag() throws(JobRefused) -> Bool {
        switch content {
        case .null: return false
        case .bool(let flag): return flag
        default: throw .malformed(path, "is not true or false")
        }
    }

    func number() throws(JobRefused) -> UInt64 {
        guard case .integer(let number) = content, let number = UInt64(exactly: number) else {
            throw .malformed(path, "is no number")
        }
        return number
    }

    /// Of at most so many bytes, without a NUL, which no variable can hold.
    func text(_ most: Int) throws(JobRefused) -> String {
        guard case .string(let text) = content else { throw .malformed(path, "is no text") }
        guard text.utf8.count <= most else {
            throw .malformed(path, "has \(text.utf8.count) bytes; at most \(most) fit")
        }
        if text.utf8.contains(0) { throw .malformed(path, "has a NUL in it") }
        return text
    }

    /// Empty where there is nothing.
    func optionalText(_ most: Int) throws(JobRefused) -> String { isNull ? "" : try text(most) }

    /// What names something: not empty, on one line.
    func word(_ most: Int) throws(JobRefused) -> String {
        let word = try text(most)
        guard !word.isEmpty, word.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .malformed(path, "is empty or has control characters in it")
        }
        return word
    }

    /// What goes into a header, and is nothing else.
    func token() throws(JobRefused) -> SecretText {
        let token = try text(4096)
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .malformed(path, "is no token")
        }
        return SecretText(token)
    }
}
