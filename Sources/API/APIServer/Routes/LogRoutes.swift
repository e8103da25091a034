// Logs: read from a descriptor that relayd opened for this one request, as a whole, in part, or as it grows.

import HTTPTypes
import Hummingbird
import NIOCore
import Posix
import Wire

enum LogRoutes {
    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            Route(
                method: .get, path: "/jobs/{id}/log", scope: .token, operation: "getJobLog",
                summary: "A job's log, byte for byte as the job wrote it.",
                parameters: [
                    JobRoutes.id,
                    RouteParameter("follow", in: .query, "boolean", "1: go on until the job is finished."),
                    RouteParameter("Range", in: .header, "string", "bytes=A- or bytes=A-B: only that part."),
                ],
                successes: [(200, "The log.", nil), (206, "The part that was asked for.", nil)]
            ) { request in
                let reader = LogReader(scheduler: scheduler, job: try request.id(), token: request.token)
                let range = try ByteRange(request.request.headers[.range])
                let follow = ["1", "true"].contains(request.query("follow"))
                guard follow else { return try await reader.whole(range) }
                let context = request.context
                return try await reader.following(from: range, on: context)
            }
        ]
    }
}

/// `bytes=A-` or `bytes=A-B` of a Range header; other forms are refused rather than misread.
struct ByteRange: Equatable {
    let first: Int64
    /// Inclusive.
    let last: Int64?
    let given: Bool

    init(_ header: String?) throws(APIFailure) {
        guard let header else {
            (first, last, given) = (0, nil, false)
            return
        }
        let parts = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard header.hasPrefix("bytes="), parts.count == 2, let first = Self.number(parts[0]) else {
            throw Self.refused
        }
        let last = parts[1].isEmpty ? nil : Self.number(parts[1])
        guard parts[1].isEmpty || (last.map { $0 >= first } ?? false) else { throw Self.refused }
        (self.first, self.last, given) = (first, last, true)
    }
    private static let refused = APIFailure(.invalid, "write it like bytes=100- or bytes=100-199", place: "Range")

    /// Digits and nothing else.
    private static func number(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Int64(text) : nil
    }
}
