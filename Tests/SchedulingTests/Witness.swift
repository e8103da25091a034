// A second look at the database, by a connection of its own: it sees what is committed and nothing else. The fakes ask
// it before they believe an effect.

import Store
import Testing
import Wire

final class Witness {
    private let store: Store

    init(_ path: String) throws {
        store = try Store(path: path)
    }

    func see<Value>(_ look: (StoreTransaction) throws -> Value) throws -> Value {
        var value: Value?
        try store.read { value = try look($0) }
        return try #require(value)
    }

    /// Records an issue unless `look` finds it committed.
    func expect(_ what: String, _ look: (StoreTransaction) throws -> Bool) {
        do {
            #expect(try see(look), "seen before it was committed: \(what)")
        } catch {
            Issue.record("not seen: \(what): \(error)")
        }
    }
}
