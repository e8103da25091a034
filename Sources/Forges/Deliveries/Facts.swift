// Facts: the few values of a delivery that are believed, by their paths. Whatever else stands in it is passed over.

import Documents
package import ForgeModel

package struct Facts {
    /// Forges nest eight deep. A comment of GitLab has at most a million characters, and nothing else is as long.
    private static let bounds = JSONReader.Bounds(depth: 64, values: 256, text: 4 << 20)
    /// In bytes; names, branches and paths are shorter everywhere.
    private static let wordBytes = 1024

    private let document: SpecValue

    /// Reads what stands at `paths`, each as `key.key.key`.
    package init(_ delivery: Delivery, _ paths: [String]) throws(Refusal) {
        try delivery.headers.checkJSON()
        do throws(JSONReader.Refused) {
            document = try JSONReader.document(delivery.body, bounds: Self.bounds, keeping: JSONShape(paths))
        } catch {
            throw .document(error)
        }
        guard case .map = document.content else { throw .fact("") }
    }

    /// Null also where there is nothing.
    private func content(_ path: String) -> SpecValue.Content {
        var content = document.content
        for key in path.split(separator: ".") {
            guard case .map(let entries) = content, let entry = entries.first(where: { $0.key == key }) else {
                return .null
            }
            content = entry.value.content
        }
        return content
    }

    package func isThere(_ path: String) -> Bool { content(path) != .null }

    /// False also where there is nothing.
    package func flag(_ path: String) throws(Refusal) -> Bool {
        switch content(path) {
        case .null: return false
        case .bool(let flag): return flag
        default: throw .fact(path)
        }
    }

    package func number(_ path: String) throws(Refusal) -> UInt64 {
        guard case .integer(let number) = content(path), let number = UInt64(exactly: number) else { throw .fact(path) }
        return number
    }

    package func isNegative(_ path: String) -> Bool {
        if case .integer(let number) = content(path) { number < 0 } else { false }
    }

    /// As it stands there, whatever it is.
    package func text(_ path: String) throws(Refusal) -> String {
        guard case .string(let text) = content(path) else { throw .fact(path) }
        return text
    }

    /// What names something: not empty, not long, and without control characters.
    package func word(_ path: String) throws(Refusal) -> String {
        let word = try text(path)
        guard (1...Self.wordBytes).contains(word.utf8.count), word.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .fact(path)
        }
        return word
    }

    /// Whether this word stands there; that there is one is not asked.
    package func says(_ word: String, _ path: String) -> Bool { content(path) == .string(word) }

    /// Nil for the run of zeros that says that there is none.
    package func commit(_ path: String) throws(Refusal) -> Commit? {
        let hex = try text(path)
        if let commit = Commit(hex) { return commit }
        guard [40, 64].contains(hex.utf8.count), hex.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) else {
            throw .fact(path)
        }
        return nil
    }

    /// The commit, which has to be one.
    package func head(_ path: String) throws(Refusal) -> Commit {
        guard let commit = try commit(path) else { throw .fact(path) }
        return commit
    }

    /// Nil for what is neither a branch nor a tag.
    package func reference(_ path: String) throws(Refusal) -> Reference? {
        let name = try word(path).utf8
        func rest(_ start: String) -> String? {
            guard name.starts(with: start.utf8), name.count > start.utf8.count else { return nil }
            return String(Substring(name.dropFirst(start.utf8.count)))
        }
        return rest("refs/heads/").map(Reference.branch) ?? rest("refs/tags/").map(Reference.tag)
    }

    package func repository(_ path: String, named name: String = "full_name") throws(Refusal) -> Repository {
        Repository(id: try number("\(path).id"), path: try word("\(path).\(name)"))
    }

    package func account(_ path: String, named name: String = "login") throws(Refusal) -> Account {
        Account(id: try number("\(path).id"), name: try word("\(path).\(name)"))
    }
}
