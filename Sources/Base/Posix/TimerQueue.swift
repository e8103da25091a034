// The timers of a poll loop: a binary heap by time, with a table that makes cancelling cheap. A call over a link sets a
// deadline and cancels it a moment later, thousands of times a second.

/// Names a timer; stale ones are harmless.
package struct TimerID: Hashable, Sendable {
    let number: UInt64
}

/// Timers in the order of their deadlines; equal ones in the order in which they were set.
struct TimerQueue {
    private struct Entry {
        let deadline: UInt64
        let id: TimerID

        func isBefore(_ other: Entry) -> Bool {
            (deadline, id.number) < (other.deadline, other.id.number)
        }
    }

    /// Entries of cancelled timers, too: each goes when it comes to the top, or when they are more than half.
    private var heap: [Entry] = []
    /// Of the timers that have neither fired nor been cancelled.
    private var bodies: [TimerID: () -> Void] = [:]
    private var lastNumber: UInt64 = 0

    var isEmpty: Bool { bodies.isEmpty }

    mutating func add(deadline: UInt64, _ body: @escaping () -> Void) -> TimerID {
        lastNumber += 1
        let id = TimerID(number: lastNumber)
        bodies[id] = body
        heap.append(Entry(deadline: deadline, id: id))
        rise(heap.count - 1)
        return id
    }

    mutating func cancel(_ id: TimerID) {
        guard bodies.removeValue(forKey: id) != nil, heap.count > 128, heap.count > 2 * bodies.count else { return }
        heap = heap.filter { bodies[$0.id] != nil }.sorted { $0.isBefore($1) }  // a sorted array is a heap
    }

    /// The deadline of the first timer.
    mutating func nextDeadline() -> UInt64? {
        dropCancelled()
        return heap.first?.deadline
    }

    /// Takes the first timer out if it is due.
    mutating func takeDue(_ now: UInt64) -> (() -> Void)? {
        dropCancelled()
        guard let first = heap.first, first.deadline <= now else { return nil }
        removeFirst()
        return bodies.removeValue(forKey: first.id)
    }

    private mutating func dropCancelled() {
        while let first = heap.first, bodies[first.id] == nil { removeFirst() }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        if heap.isEmpty { return }
        heap[0] = last
        sink(0)
    }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0, heap[index].isBefore(heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            if least == index { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
