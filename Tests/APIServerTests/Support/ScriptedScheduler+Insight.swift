// The scripted schedulerd's answers about waiting, pools, draining and metrics.

import Link
import Wire

extension ScriptedScheduler {
    static func addInsight(_ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>) {
        handlers.on(SchedulerEdge.ExplainJob.self) { request, _, responder in
            guard admits(request.token, "ExplainJob", script, responder) else { return }
            if let failure = failure(of: request.job, script) { return responder.fail(failure) }
            responder.reply(
                .init(
                    state: .queued,
                    whys: [
                        .init(
                            kind: .allRunnersInUse, text: "all 2 runners are in use", advice: "wait",
                            sinceMs: 1_700_000_000_123),
                        .init(kind: .behindOthers, text: "3 jobs are served before it", advice: "", sinceMs: 0),
                    ],
                    happenings: [.init(atMs: 1_700_000_000_123, text: "submitted: QUEUED")]))
        }
        handlers.on(SchedulerEdge.ListPools.self) { request, _, responder in
            guard admits(request.token, "ListPools", script, responder) else { return }
            let pool = SchedulerEdge.PoolSummary(
                shape: shape, trust: .trusted, starting: 1, idle: 2, busy: 3, waiting: 4, trouble: "no such image")
            responder.reply(.init(pools: [pool]))
        }
        handlers.on(SchedulerEdge.SetDrain.self) { request, _, responder in
            guard admits(request.token, "SetDrain \(request.drain)", script, responder) else { return }
            responder.reply(.init(running: 1, runners: 2))
        }
        handlers.on(SchedulerEdge.ReadMetrics.self) { request, sink in
            guard request.token == "good" else { return sink.fail(Failure(.unauthorized, "the token is wrong")) }
            sink.send(.init(text: "# TYPE bulkhead_jobs gauge\n"))
            sink.send(.init(text: "bulkhead_jobs{state=\"queued\"} 1\n"))
            sink.end()
        }
    }
}
