// Requests in flight, by id. At most a window of them (64 unless told otherwise), mostly one: a short array beats a
// dictionary, and the oldest is found first.

/// Ids to values; ids are unique and come in increasing order.
struct RequestTable<Value> {
    private(set) var entries: [(id: UInt64, value: Value)] = []

    var count: Int { entries.count }

    func index(of id: UInt64) -> Int? {
        entries.firstIndex { $0.id == id }
    }

    subscript(index: Int) -> Value {
        get { entries[index].value }
        set { entries[index].value = newValue }
    }

    mutating func insert(_ id: UInt64, _ value: Value) {
        entries.append((id, value))
    }

    @discardableResult
    mutating func remove(_ id: UInt64) -> Value? {
        guard let index = index(of: id) else { return nil }
        return entries.remove(at: index).value
    }

    /// Empties the table and returns what was in it, oldest first.
    mutating func removeAll() -> [Value] {
        defer { entries = [] }
        return entries.map(\.value)
    }
}
