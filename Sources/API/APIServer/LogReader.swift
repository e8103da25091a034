// LogReader: turns a job's log descriptor into an HTTP body. Follows by reading on at the end of the file until schedulerd
// has said that the job is finished and everything up to then is sent.

import HTTPTypes
import Hummingbird
import NIOCore
import Posix
import Synchronization
import Wire

struct LogReader: Sendable {
    let scheduler: SchedulerBridge
    let job: UInt64
    let token: String

    private static let chunk = 64 * 1024
    private static let headers: HTTPFields = [
        .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store", .acceptRanges: "bytes",
        .xContentTypeOptions: "nosniff",
    ]

    /// What is there now. A job that has not begun has an empty log.
    func whole(_ range: ByteRange) async throws -> Response {
        guard let log = try await open() else {
            guard range.first == 0 else { throw notSatisfiable(size: 0) }
            return Response(status: .ok, headers: Self.headers, body: ResponseBody(byteBuffer: ByteBuffer()))
        }
        let size = try Posix.fstat(log.raw).size
        guard range.first < size || (range.first == 0 && size == 0) else { throw notSatisfiable(size: size) }
        let end = min(size, (range.last ?? size - 1) + 1)
        var headers = Self.headers
        if range.given { headers[.contentRange] = "bytes \(range.first)-\(max(range.first, end - 1))/\(size)" }
        let body = ResponseBody(contentLength: Int(end - range.first)) { writer in
            var position = range.first
            while position < end {
                let want = min(Self.chunk, Int(end - position))
                let bytes = try Posix.pread(log.raw, maximum: want, at: position)
                guard !bytes.isEmpty else { break }
                try await writer.write(ByteBuffer(bytes: bytes))
                position += Int64(bytes.count)
            }
            try await writer.finish(nil)
        }
        return Response(status: range.given ? .partialContent : .ok, headers: headers, body: body)
    }

    /// From the range's first byte until the job is finished.
    func following(from range: ByteRange) async throws -> Response {
        // Asked once before the answer begins, so that a wrong token or job is a status and not a broken stream.
        _ = try await scheduler.call(SchedulerEdge.GetJob(token: token, job: job))
        let body = ResponseBody { writer in
            try await waitForBeginning()
            let finished = Atomic(false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await item in scheduler.watch(job: job, token: token) where item.state.isFinal { break }
                    finished.store(true, ordering: .releasing)
                }
                try await copy(from: range.first, to: &writer) { finished.load(ordering: .acquiring) }
                group.cancelAll()
            }
            try await writer.finish(nil)
        }
        return Response(status: range.given ? .partialContent : .ok, headers: Self.headers, body: body)
    }

    private func waitForBeginning() async throws {
        for try await item in scheduler.watch(job: job, token: token) where item.state.hasBegun { return }
    }

    private func copy(
        from first: Int64, to writer: inout any ResponseBodyWriter, until isFinished: () -> Bool
    ) async throws {
        guard let log = try await open() else { return }
        var position = first
        var pause = Duration.milliseconds(1)
        while true {
            // Looked at before the read: what is written before the end is then certainly read.
            let isLast = isFinished()
            let before = position
            while true {
                let bytes = try Posix.pread(log.raw, maximum: Self.chunk, at: position)
                guard !bytes.isEmpty else { break }
                try await writer.write(ByteBuffer(bytes: bytes))
                position += Int64(bytes.count)
            }
            if isLast { return }
            // A look is one system call: often while lines come, seldom while the job thinks.
            pause = position > before ? .milliseconds(1) : min(pause * 2, .milliseconds(50))
            try await Task.sleep(for: pause)
        }
    }

    private func open() async throws(APIFailure) -> SharedDescriptor? {
        do {
            return try await scheduler.callWithDescriptor(SchedulerEdge.OpenLog(token: token, job: job)).descriptor
        } catch where error.detail.code == ErrorCode.notReady.name {
            return nil
        }
    }

    private func notSatisfiable(size: Int64) -> APIFailure {
        APIFailure.refusal(status: 416, reason: "the log has \(size) bytes")
    }
}
