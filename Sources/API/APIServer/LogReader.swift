// LogReader: turns a job's log descriptor into an HTTP body. Follows by reading on at the end of the file until
// schedulerd has said that the job is finished and everything up to then is sent.

import Files
import HTTPTypes
import Hummingbird
import JobWire
import NIOCore
import Posix
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
        let log: SharedDescriptor?
        switch try await open() {
        case .log(let descriptor): log = descriptor
        case .notYet: log = nil
        case .never(let failure), .away(let failure): throw failure
        }
        let size = try log.map { try Posix.fstat($0.raw).size } ?? 0
        guard range.first < size || range.first == 0 && !range.given else { throw notSatisfiable(size: size) }
        let end = range.last.map { min($0, size - 1) + 1 } ?? size
        var headers = Self.headers
        if range.given { headers[.contentRange] = "bytes \(range.first)-\(end - 1)/\(size)" }
        let body = ResponseBody(contentLength: Int(end - range.first)) { writer in
            if let log { try await Self.copy(log, from: range.first, to: end, into: &writer) }
            try await writer.finish(nil)
        }
        return Response(status: range.given ? .partialContent : .ok, headers: headers, body: body)
    }

    /// From the range's first byte until the job is finished, or nobody listens any more.
    func following(from range: ByteRange, on context: APIContext) async throws -> Response {
        guard range.last == nil else {
            throw APIFailure(.invalid, "an end and follow do not go together; write it like bytes=100-", place: "Range")
        }
        let states = scheduler.watch(job: job, token: token)
        // Together with the question for its state: who follows has most likely just submitted, and a runner that was
        // waiting has begun by now.
        async let early = open()
        // Awaited before the answer begins, so that a wrong token or job is a status and not a broken stream.
        var iterator = states.makeAsyncIterator()
        guard let present = try await iterator.next() else { throw APIFailure(.internal, "the job has no state") }
        let opened = try await early
        let body = ResponseBody { writer in
            let progress = JobProgress(present.state)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await progress.follow(states) }
                group.addTask { await progress.tick() }
                try await copy(opened, from: range.first, to: &writer, progress, context)
                group.cancelAll()
            }
            try await writer.finish(nil)
        }
        var headers = Self.headers
        // Where it ends nobody knows yet; clients that resume look at the beginning.
        if range.given { headers[.contentRange] = "bytes \(range.first)-\(Int64.max - 1)/*" }
        return Response(status: range.given ? .partialContent : .ok, headers: headers, body: body)
    }

    private func copy(
        _ opened: Opening, from first: Int64, to writer: inout any ResponseBodyWriter, _ progress: JobProgress,
        _ context: APIContext
    ) async throws {
        var log: SharedDescriptor?
        if case .log(let descriptor) = opened { log = descriptor }
        var position = first
        var lastNews = ContinuousClock.now
        var news = progress.news.makeAsyncIterator()
        while context.isConnected {
            // Looked at before the read: what is written before the end is then certainly read.
            let state = try progress.state
            let before = position
            var isAway = false
            if log == nil && state.hasBegun {
                switch try await open() {
                case .log(let descriptor): log = descriptor
                case .notYet: break
                case .never: if state.isFinal { return }
                case .away: isAway = true
                }
            }
            if let log { position = try await Self.copy(log, from: position, to: .max, into: &writer) }
            if state.isFinal && !isAway { return }
            if log == nil && !state.hasBegun {
                // The first line must not wait for our next look: the change of state itself wakes us.
                await news.next()
                try Task.checkCancellation()
                lastNews = .now
                continue
            }
            // A look is one system call: often while lines come, seldom while the job thinks. Whoever waits for a line
            // waits a tenth longer than the line took, or as long as nobody sees.
            if position > before { lastNews = .now }
            let silence = ContinuousClock.now - lastNews
            try await context.pause(for: min(max(silence / 10, .microseconds(150)), .milliseconds(50)))
            try Task.checkCancellation()
        }
    }

    /// Copies up to `end` or what is there; returns the position after it.
    @discardableResult
    private static func copy(
        _ log: SharedDescriptor, from first: Int64, to end: Int64, into writer: inout any ResponseBodyWriter
    ) async throws -> Int64 {
        var position = first
        while position < end {
            let bytes = try Posix.pread(log.raw, maximum: Int(min(Int64(chunk), end - position)), at: position)
            if bytes.isEmpty { break }
            try await writer.write(ByteBuffer(bytes: bytes))
            position += Int64(bytes.count)
        }
        return position
    }

    /// What asking for the log came to.
    private enum Opening {
        case log(SharedDescriptor)
        /// The job has not begun.
        case notYet
        /// The job ended before it began.
        case never(APIFailure)
        /// schedulerd is.
        case away(APIFailure)
    }

    private func open() async throws -> Opening {
        do throws(APIFailure) {
            let opened = try await scheduler.callWithDescriptor(SchedulerEdge.OpenLog(token: token, job: job))
            guard let log = opened.descriptor else { throw APIFailure(.internal, "no log came") }
            return .log(log)
        } catch {
            switch error.code {
            case .notReady: return .notYet
            case .notFound where error.detail.place == "log": return .never(error)
            case .disconnected: return .away(error)
            default: throw error
            }
        }
    }

    private func notSatisfiable(size: Int64) -> APIFailure {
        var failure = APIFailure.refusal(status: 416, reason: "the log has \(size) bytes")
        failure.headers[.contentRange] = "bytes */\(size)"
        return failure
    }
}
