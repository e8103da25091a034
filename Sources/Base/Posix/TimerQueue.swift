// The timers of a poll loop: a binary heap by time, with slots that make cancelling cheap. A call over a link sets a deadline and
// cancels it a moment later, thousands of times a second.

/// Names a timer; stale ones are harmless.
package struct TimerID: Hashable, Sendable {
    let slot: Int
    let generation: UInt32
}

/// Timers in the order of their deadlines; equal ones in the order in which they were set.
struct TimerQueue {
    private struct Entry {
        let deadline: UInt64
        let sequence: UInt64
        let id: TimerID

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence
        }
    }

    private struct Slot {
        var generation: UInt32 = 0
        var body: (() -> Void)?
    }

    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var sequence: UInt64 = 0
    /// Entries of the heap whose timer was cancelled.
    private var dead = 0

    var isEmpty: Bool { heap.count == dead }

    mutating func add(deadline: UInt64, _ body: @escaping () -> Void) -> TimerID {
        let index = free.popLast() ?? slots.count
        if index == slots.count { slots.append(Slot()) }
        slots[index].body = body
        let id = TimerID(slot: index, generation: slots[index].generation)
        sequence += 1
        heap.append(Entry(deadline: deadline, sequence: sequence, id: id))
        rise(heap.count - 1)
        return id
    }

    mutating func cancel(_ id: TimerID) {
        guard isLive(id) else { return }
        vacate(id)
        dead += 1
        if dead > 64, dead > heap.count / 2 { compact() }
    }

    /// The deadline of the first timer.
    mutating func nextDeadline() -> UInt64? {
        dropDead()
        return heap.first?.deadline
    }

    /// Takes the first timer out if it is due.
    mutating func takeDue(_ now: UInt64) -> (() -> Void)? {
        dropDead()
        guard let first = heap.first, first.deadline <= now else { return nil }
        let body = slots[first.id.slot].body
        vacate(first.id)
        removeFirst()
        return body
    }

    private func isLive(_ id: TimerID) -> Bool {
        id.slot < slots.count && slots[id.slot].generation == id.generation && slots[id.slot].body != nil
    }

    private mutating func vacate(_ id: TimerID) {
        slots[id.slot].body = nil
        slots[id.slot].generation &+= 1
        free.append(id.slot)
    }

    private mutating func dropDead() {
        while dead > 0, let first = heap.first, !isLive(first.id) {
            removeFirst()
            dead -= 1
        }
    }

    private mutating func compact() {
        let live = heap.filter { isLive($0.id) }.sorted { $0.isBefore($1) }
        heap = live  // a sorted array is a heap
        dead = 0
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
