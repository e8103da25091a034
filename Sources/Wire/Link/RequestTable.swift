// Requests in flight, by id. At most a window of them, mostly one, and in the order of their ids: a sorted array beats
// a dictionary.

/// Ids to values; ids are unique and are inserted in increasing order.
struct RequestTable<Value> {
    private(set) var entries: [(id: UInt64, value: Value)] = []

    var count: Int { entries.count }

    func index(of id: UInt64) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].id == id ? low : nil
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
