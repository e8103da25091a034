// InsightAnswers: why a job waits, pools and draining as the API tells them.

import JobWire
import Wire

struct WhyAnswer: Encodable {
    struct Why: Encodable {
        let kind: String
        let text: String
        let advice: String
        let since: String?
    }

    struct Happening: Encodable {
        let at: String
        let text: String
    }

    let state: String
    /// The first is what to look at first.
    let whys: [Why]
    /// Oldest first.
    let history: [Happening]

    init(_ reply: SchedulerEdge.ExplainJob.Reply) {
        state = reply.state.label
        whys = reply.whys.map { why in
            Why(
                kind: why.kind.label, text: why.text, advice: why.advice,
                since: why.sinceMs == 0 ? nil : timestamp(why.sinceMs))
        }
        history = reply.happenings.map { Happening(at: timestamp($0.atMs), text: $0.text) }
    }
}

struct PoolAnswer: Encodable {
    let image: String
    let platform: String
    let profile: String
    let resources: ResourcesAnswer
    let trust: String
    let starting: UInt32
    let idle: UInt32
    let busy: UInt32
    let waiting: UInt32
    let trouble: String

    init(_ pool: SchedulerEdge.PoolSummary) {
        image = pool.shape.image
        platform = pool.shape.platform.label
        profile = pool.shape.profile.label
        resources = ResourcesAnswer(pool.shape)
        trust = pool.trust.label
        starting = pool.starting
        idle = pool.idle
        busy = pool.busy
        waiting = pool.waiting
        trouble = pool.trouble
    }
}

struct PoolListAnswer: Encodable {
    let pools: [PoolAnswer]
}

struct DrainAnswer: Encodable {
    let draining: Bool
    let running: UInt32
    let runners: UInt32
}
