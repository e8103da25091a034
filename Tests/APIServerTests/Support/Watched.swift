// A value that tests wait on, instead of sleeping and hoping.

import Synchronization

final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let condition: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct Inside {
        var value: Value
        var waiters: [Waiter] = []
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

    /// Returns as soon as `condition` holds. The suite's time limit ends a wait in vain.
    func wait(until condition: @escaping @Sendable (Value) -> Bool) async {
        await withCheckedContinuation { continuation in
            let holds = inside.withLock { inside in
                if condition(inside.value) { return true }
                inside.waiters.append(Waiter(condition: condition, continuation: continuation))
                return false
            }
            if holds { continuation.resume() }
        }
    }
}
