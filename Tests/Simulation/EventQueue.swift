// A heap of what is to happen, by time and then by the order in which it was asked for.

struct EventQueue {
    private struct Event {
        let time: Time
        let number: Int
        let body: () -> Void

        static func < (left: Event, right: Event) -> Bool {
            left.time != right.time ? left.time < right.time : left.number < right.number
        }
    }

    private var heap: [Event] = []
    private var count = 0

    var first: Time? { heap.first?.time }

    mutating func add(at time: Time, _ body: @escaping () -> Void) {
        count += 1
        heap.append(Event(time: time, number: count, body: body))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func take(dueAt now: Time) -> (() -> Void)? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return first.body }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
