// Fields: the few values of an answer that are believed, by their paths. A key that is there twice, or once more in
// other letters, refuses the answer: two readers could read two things.

import Documents
package import Exchange
package import ForgeModel

package struct Fields {
    /// Forges nest eight deep; a page of a hundred comments has some ten thousand values. GitLab's texts are the
    /// longest.
    private static let bounds = JSONReader.Bounds(depth: 32, values: 100_000, text: 4 << 20)
    /// In bytes; names, branches and paths are shorter everywhere.
    private static let wordBytes = 1024
    private static let pathBytes = 4096

    private let document: SpecValue

    package init(_ answer: ExchangeAnswer) throws(ForgeProblem) { try self.init(Self.read(answer)) }

    private init(_ document: SpecValue) throws(ForgeProblem) {
        guard case .map = document.content else { throw .field("") }
        self.document = document
    }

    /// The members of a list, each a map.
    package static func list(_ answer: ExchangeAnswer) throws(ForgeProblem) -> [Fields] {
        try list(try read(answer).content, "")
    }

    /// The same of one inside of a map.
    package func list(_ path: String) throws(ForgeProblem) -> [Fields] { try Self.list(try content(path), path) }

    private static func list(_ content: SpecValue.Content, _ path: String) throws(ForgeProblem) -> [Fields] {
        guard case .list(let items) = content else { throw .field(path) }
        var fields: [Fields] = []
        for item in items { fields.append(try Fields(item)) }
        return fields
    }

    private static func read(_ answer: ExchangeAnswer) throws(ForgeProblem) -> SpecValue {
        // A page for people has no fields.
        let type = answer.header("content-type")?.split(separator: ";").first ?? ""
        guard type.lowercased() == "application/json" else { throw .field("content-type") }
        do throws(JSONReader.Refused) {
            return try JSONReader.document(answer.body, bounds: bounds)
        } catch {
            throw .document(error)
        }
    }

    /// Null also where there is nothing.
    private func content(_ path: String) throws(ForgeProblem) -> SpecValue.Content {
        var content = document.content
        for key in path.split(separator: ".") {
            guard case .map(let entries) = content else { return .null }
            let found = entries.filter { $0.key.utf8.elementsEqual(key.utf8) { Self.folded($0) == Self.folded($1) } }
            guard let entry = found.first else { return .null }
            guard found.count == 1, entry.key.utf8.elementsEqual(key.utf8) else {
                throw .document(.twice(Self.place(entry)))
            }
            content = entry.value.content
        }
        return content
    }

    private static func place(_ entry: SpecValue.Entry) -> Place { entry.place ?? Place(line: 0, column: 0) }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    package func isThere(_ path: String) throws(ForgeProblem) -> Bool { try content(path) != .null }

    package func flag(_ path: String) throws(ForgeProblem) -> Bool {
        guard case .bool(let flag) = try content(path) else { throw .field(path) }
        return flag
    }

    package func number(_ path: String) throws(ForgeProblem) -> UInt64 {
        guard case .integer(let number) = try content(path), let number = UInt64(exactly: number) else {
            throw .field(path)
        }
        return number
    }

    /// 0 for a number below zero: Gitea's own accounts.
    package func account(_ path: String, named name: String) throws(ForgeProblem) -> Account {
        let start = path.isEmpty ? "" : path + "."
        guard case .integer(let number) = try content(start + "id") else { throw .field(start + "id") }
        return Account(id: UInt64(max(number, 0)), name: try word(start + name))
    }

    /// As it stands there, whatever it is.
    package func text(_ path: String) throws(ForgeProblem) -> String {
        guard case .string(let text) = try content(path) else { throw .field(path) }
        return text
    }

    /// What names something: not empty, not long, and without control characters.
    package func word(_ path: String) throws(ForgeProblem) -> String {
        let word = try text(path)
        guard (1...Self.wordBytes).contains(word.utf8.count), word.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .field(path)
        }
        return word
    }

    /// A file's path. Git allows control characters in it; a NUL it does not.
    package func path(_ path: String) throws(ForgeProblem) -> String {
        let found = try text(path)
        guard (1...Self.pathBytes).contains(found.utf8.count), !found.utf8.contains(0) else { throw .field(path) }
        return found
    }

    package func commit(_ path: String) throws(ForgeProblem) -> Commit {
        guard let commit = Commit(try text(path)) else { throw .field(path) }
        return commit
    }
}
