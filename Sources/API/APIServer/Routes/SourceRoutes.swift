// Sources: an archive is streamed into a pipe whose other end relayd reads, hashes and stores. apid never has the file.

import HTTPTypes
import Hummingbird
import NIOCore
import Posix
import Wire

enum SourceRoutes {
    static let path = "/sources"
    /// Hashing is done by then; storing waits for the disk.
    private static let finishDeadline = Duration.seconds(120)

    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            Route(
                method: .post, path: path, scope: .token, operation: "uploadSource",
                summary: "Upload a source archive (tar); name it in a job's `source`. Needs Content-Length.",
                body: .stream(mediaType: "application/x-tar"),
                successes: [(201, "It is stored under the SHA-256 of its bytes.", "Source")]
            ) { try await upload($0, scheduler) }
        ]
    }

    private static func upload(_ request: APIRequest, _ scheduler: SchedulerBridge) async throws -> Response {
        let (upload, arrival) = try await receive(request, scheduler)
        // Asked in any case: nothing is kept of half an upload then, and if the store stopped reading, this says why.
        let finish = SchedulerEdge.FinishUpload(token: request.token, upload: upload)
        let reply = try await scheduler.call(finish, deadline: finishDeadline)
        try arrival.get()
        return try .json(SourceAnswer(reply.source), status: .created)
    }

    /// The sink is closed when this returns: its reader sees the end.
    private static func receive(
        _ request: APIRequest, _ scheduler: SchedulerBridge
    ) async throws -> (upload: UInt64, arrival: Result<Void, any Error>) {
        let size = try length(request)
        let opened = try await scheduler.callWithDescriptor(SchedulerEdge.OpenUpload(token: request.token, size: size))
        guard let sink = opened.descriptor else {
            throw APIFailure(.internal, "no sink came with the upload; see the logs of the daemons")
        }
        do {
            try await copy(request, size: size, into: sink)
            return (opened.reply.upload, .success(()))
        } catch {
            return (opened.reply.upload, .failure(error))
        }
    }

    private static func length(_ request: APIRequest) throws(APIFailure) -> UInt64 {
        guard let text = request.request.headers[.contentLength], let size = UInt64(text), size > 0 else {
            throw APIFailure.refusal(status: 411, reason: "an upload needs a Content-Length above 0")
        }
        return size
    }

    /// Waits, without a thread, while the pipe is full.
    private static func copy(_ request: APIRequest, size: UInt64, into sink: SharedDescriptor) async throws {
        try Posix.setNonBlocking(sink.raw)
        var sent: UInt64 = 0
        for try await buffer in request.request.body {
            var rest = ArraySlice(buffer.readableBytesView)
            sent += UInt64(rest.count)
            guard sent <= size else {
                throw APIFailure(.tooLarge, "more bytes than Content-Length said", place: "body")
            }
            var pause = Duration.microseconds(200)
            while !rest.isEmpty {
                switch try write(sink, rest) {
                case .bytes(let count):
                    rest = rest.dropFirst(count)
                    pause = .microseconds(200)
                case .wouldBlock:
                    try await Task.sleep(for: pause)
                    pause = min(pause * 2, .milliseconds(20))
                }
            }
        }
        guard sent == size else { throw APIFailure(.incomplete, "\(sent) of \(size) bytes arrived", place: "body") }
    }

    private static func write(_ sink: SharedDescriptor, _ bytes: ArraySlice<UInt8>) throws -> WriteOutcome {
        do {
            return try Posix.write(sink.raw, bytes)
        } catch {
            // relayd closed its end; FinishUpload says why.
            throw APIFailure(.incomplete, "the store stopped reading the upload: \(error)", place: "body")
        }
    }
}
