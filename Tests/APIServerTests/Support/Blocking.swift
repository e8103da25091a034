// Blocking work beside the tests: the service under test needs the threads of the concurrency pool for itself.

import Dispatch
import Foundation

/// Runs `body` on a thread that may block.
func blocking<Result: Sendable>(
    on queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        queue.async { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// Starts a thread and lets it go; `end` is awaited for its end.
final class BackgroundThread: Sendable {
    private let ended = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [ended] in
            body()
            ended.signal()
        }
    }

    func end() async {
        let queue = DispatchQueue(label: "end of a thread")
        try? await blocking(on: queue) { [ended] in
            ended.wait()
            ended.signal()
        }
    }
}
