// Runs something on a thread that is gone afterwards.
import Glibc
import Synchronization

enum ThreadThatEnds {
    private final class Work: Sendable {
        let body: @Sendable () throws -> Int32
        let result = Mutex<Result<Int32, any Error>?>(nil)

        init(_ body: @escaping @Sendable () throws -> Int32) {
            self.body = body
        }
    }

    struct Failed: Error {}

    static func run(_ body: @escaping @Sendable () throws -> Int32) throws -> Int32 {
        let work = Work(body)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(work).toOpaque()
        let error = pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer else { return nil }
                let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
                let result = Result { try work.body() }
                work.result.withLock { $0 = result }
                return nil
            }, argument)
        if error != 0 { throw Failed() }
        pthread_join(thread, nil)
        guard let result = work.result.withLock({ $0 }) else { throw Failed() }
        return try result.get()
    }
}
