// Insight: why a job waits, which pools there are, draining, metrics.

import Documents
import Exposition
import HTTPTypes
import Hummingbird
import JobModel
import NIOCore
import Wire

enum InsightRoutes {
    static func all(_ scheduler: SchedulerBridge, _ meter: APIMeter) -> [Route] {
        [why(scheduler), pools(scheduler), drain(scheduler), metrics(scheduler, meter)]
    }

    private static func why(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/jobs/{id}/why", scope: .token, operation: "explainJob",
            summary: "Why a job waits or how it ended, what to do about it, and its history.",
            parameters: [JobRoutes.id], successes: [(200, "Why; the first reason is what to look at first.", "Why")]
        ) { request in
            let request = SchedulerEdge.ExplainJob(token: request.token, job: try request.id())
            return try .json(WhyAnswer(try await scheduler.call(request)))
        }
    }

    private static func pools(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .get, path: "/pools", scope: .token, operation: "listPools",
            summary: "Kinds of runners that exist or were used lately, and the jobs that wait for them.",
            successes: [(200, "The pools.", "PoolList")]
        ) { request in
            let reply = try await scheduler.call(SchedulerEdge.ListPools(token: request.token))
            return try .json(PoolListAnswer(pools: reply.pools.map(PoolAnswer.init)))
        }
    }

    private static func drain(_ scheduler: SchedulerBridge) -> Route {
        Route(
            method: .post, path: "/drain", scope: .token, operation: "setDrain",
            summary: "Begin no job any more, or begin jobs again. What runs goes on; a restart changes nothing.",
            body: .json(schema: "Drain", limit: 1024),
            successes: [(200, "It is so; what still runs, and the runners that exist.", "DrainSet")]
        ) { request in
            let drain = try wish(try await request.bytes(limit: 1024))
            let reply = try await scheduler.call(SchedulerEdge.SetDrain(token: request.token, drain: drain))
            return try .json(DrainAnswer(draining: drain, running: reply.running, runners: reply.runners))
        }
    }

    /// `{"drain": true}` and nothing else.
    private static func wish(_ bytes: [UInt8]) throws(APIFailure) -> Bool {
        guard case .map(let entries) = try JSONSpec.document(bytes).content, entries.count == 1,
            let entry = entries.first, entry.key == "drain", case .bool(let drain) = entry.value.content
        else { throw APIFailure(.invalid, #"must be {"drain": true} or {"drain": false}"#, place: "body") }
        return drain
    }

    private static func metrics(_ scheduler: SchedulerBridge, _ meter: APIMeter) -> Route {
        Route(
            method: .get, path: "/metrics", scope: .token, operation: "getMetrics",
            summary: "Metrics in Prometheus' text format, version 0.0.4.", successes: [(200, "The metrics.", nil)]
        ) { request in
            var pieces = scheduler.stream(SchedulerEdge.ReadMetrics(token: request.token)).makeAsyncIterator()
            // Awaited before the answer begins, so that a wrong token is a status and not a broken answer.
            var piece = try await pieces.next()
            var text = ""
            while let read = piece {
                text += read.text
                piece = try await pieces.next()
            }
            return Response(
                status: .ok, headers: [.contentType: MetricsText.mediaType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text + meter.text)))
        }
    }
}
