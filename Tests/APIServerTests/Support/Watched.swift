// A value that tests wait on, instead of sleeping and hoping.

import Synchronization

final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let id: UInt64
        let condition: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct Inside {
        var value: Value
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
    }

    private let inside: Mutex<Inside>

    init(_ value: Value) {
        inside = Mutex(Inside(value: value))
    }

    var value: Value { inside.withLock { $0.value } }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        let (result, ready) = inside.withLock { inside in
            let result = body(&inside.value)
            let ready = inside.waiters.filter { $0.condition(inside.value) }
            inside.waiters.removeAll { $0.condition(inside.value) }
            return (result, ready)
        }
        for waiter in ready { waiter.continuation.resume() }
        return result
    }

    /// Returns as soon as `condition` holds. A wait in vain ends with the suite's time limit, which cancels it.
    func wait(until condition: @escaping @Sendable (Value) -> Bool) async {
        let id = inside.withLock { inside in
            inside.nextID += 1
            return inside.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = inside.withLock { inside in
                    if condition(inside.value) || Task.isCancelled { return true }
                    inside.waiters.append(Waiter(id: id, condition: condition, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = inside.withLock { inside in
                let found = inside.waiters.first { $0.id == id }
                inside.waiters.removeAll { $0.id == id }
                return found
            }
            waiter?.continuation.resume()
        }
    }
}
