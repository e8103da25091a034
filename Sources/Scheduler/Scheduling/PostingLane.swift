// What is to be posted at one project's forge: one thing at a time, in the order in which it came up. A project whose
// forge is slow holds up nobody else's.

enum Posting: Hashable {
    /// Of a job.
    case status(UInt64)
    /// Of a change.
    case comment(UInt64)
}

struct PostingLane {
    private var waiting: [Posting] = []
    /// The same, to be looked up.
    private var isWaiting: Set<Posting> = []
    private(set) var underWay: Posting?

    var isEmpty: Bool { waiting.isEmpty && underWay == nil }

    /// Once, however often it is said; what is under way may be overtaken by this, and is looked at again.
    mutating func add(_ posting: Posting) {
        if isWaiting.insert(posting).inserted { waiting.append(posting) }
    }

    mutating func begin() -> Posting? {
        guard underWay == nil, !waiting.isEmpty else { return nil }
        let next = waiting.removeFirst()
        isWaiting.remove(next)
        underWay = next
        return next
    }

    mutating func end() { underWay = nil }
}
