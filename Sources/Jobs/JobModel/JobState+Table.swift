// The table of jobs: every state, every event, so that news which comes late, twice or from a liar has an answer that
// somebody thought of. docs/job-states.md says the same for people; a test compares them, cell by cell.

package typealias JobCell = StateCell<JobState>

extension JobState {
    /// What `event` does to a job in this state.
    package func cell(on event: JobEvent) -> JobCell {
        switch self {
        case .blocked: Self.blockedCell(on: event)
        case .held: Self.heldCell(on: event)
        case .queued: Self.queuedCell(on: event)
        case .assigned: Self.assignedCell(on: event)
        case .running: Self.runningCell(on: event)
        case .succeeded, .failed, .cancelled, .timedOut, .lost: finalCell(on: event)
        }
    }

    private static func blockedCell(on event: JobEvent) -> JobCell {
        switch event {
        case .dependenciesMet:
            JobCell(.moves(.queued), "it joins the queue at the place of its id, and is dispatched once")
        case .skipped:
            JobCell(.moves(.cancelled), "no runner ever hears of it; who needs it is looked at in the same commit")
        case .withdrawn:
            JobCell(.moves(.cancelled), "no runner ever hears of it")
        default:
            neverDispatched(event)
        }
    }

    private static func heldCell(on event: JobEvent) -> JobCell {
        switch event {
        case .approved:
            JobCell(.moves(.queued), "it joins the queue at the place of its id, and is dispatched once")
        case .withdrawn:
            JobCell(.moves(.cancelled), "no runner ever hears of it")
        default:
            neverDispatched(event)
        }
    }

    private static func queuedCell(on event: JobEvent) -> JobCell {
        switch event {
        case .assigned:
            JobCell(.moves(.assigned), "attempt, epoch and runner are committed together, before spawnerd hears of it")
        case .withdrawn:
            JobCell(.moves(.cancelled), "no runner ever hears of it")
        case .expired:
            JobCell(.moves(.timedOut), "no runner ever hears of it")
        case .unrunnable:
            JobCell(.moves(.failed), "nothing ran; the reason says what to change")
        case .dependenciesMet, .approved, .skipped:
            JobCell(.ignored, "it waits in the queue already")
        default:
            neverDispatched(event)
        }
    }

    /// BLOCKED, HELD and QUEUED jobs have no attempt that could send news.
    private static func neverDispatched(_ event: JobEvent) -> JobCell {
        switch event {
        case .dependenciesMet, .approved, .skipped:
            JobCell(.refused, "this job does not wait for that")
        case .expired:
            JobCell(.refused, "its time in the queue has not begun")
        case .assigned:
            JobCell(.refused, "only a queued job is given to a runner")
        case .unassigned, .unrunnable:
            JobCell(.refused, "it has no runner that could fail it")
        case .started, .reportedSuccess, .reportedFailure, .reportedCancelled, .reportedTimeout:
            JobCell(.refused, "no open attempt: a report is of an older attempt or forged, and is not taken")
        case .cancelAsked, .cancelForced:
            JobCell(.refused, "no runner has been told of it: it is withdrawn instead")
        case .withdrawn:
            JobCell(.moves(.cancelled), "no runner ever hears of it")
        case .overdue:
            JobCell(.refused, "its timeout begins with its runner")
        case .outOfMemory, .runnerLost, .retried:
            JobCell(.refused, "it has no runner to lose")
        }
    }

    private static func assignedCell(on event: JobEvent) -> JobCell {
        switch event {
        case .dependenciesMet, .approved, .skipped, .expired:
            JobCell(.ignored, "it has left the queue already")
        case .assigned:
            JobCell(.refused, "one attempt at a time: two runners never hold one job")
        case .unassigned:
            JobCell(.moves(.queued), "no runner heard of it; it keeps its place in the queue, the attempt is void")
        case .unrunnable:
            JobCell(.moves(.failed), "nothing ran; the reason says what to change")
        case .started:
            JobCell(.moves(.running), "the time of the beginning is committed; steps are recorded from here")
        case .withdrawn:
            JobCell(.moves(.cancelled), "the runner never heard of it; the runner is removed")
        default:
            Self.toldCell(on: event)
        }
    }

    private static func runningCell(on event: JobEvent) -> JobCell {
        switch event {
        case .dependenciesMet, .approved, .skipped, .expired:
            JobCell(.ignored, "it has left the queue already")
        case .assigned:
            JobCell(.refused, "one attempt at a time: two runners never hold one job")
        case .unassigned:
            JobCell(.refused, "a job that has begun goes back as another attempt, or not at all")
        case .unrunnable:
            JobCell(.refused, "it is running")
        case .started:
            JobCell(.ignored, "told again after a reconnection; the first time of beginning stays")
        case .withdrawn:
            JobCell(.refused, "a runner holds it: it is asked to cancel instead")
        default:
            Self.toldCell(on: event)
        }
    }

    /// ASSIGNED (once the runner is told) and RUNNING end alike: relayd's report of the beginning may be overtaken.
    private static func toldCell(on event: JobEvent) -> JobCell {
        switch event {
        case .reportedSuccess:
            JobCell(.moves(.succeeded), "result and log are durable before relayd may forget them")
        case .reportedFailure:
            JobCell(.moves(.failed), "result and log are durable before relayd may forget them")
        case .reportedCancelled:
            JobCell(.moves(.cancelled), "result and log are durable before relayd may forget them")
        case .reportedTimeout:
            JobCell(.moves(.timedOut), "result and log are durable before relayd may forget them")
        case .cancelAsked:
            JobCell(.stays, "the wish and its grace are committed before relayd hears of it, and survive a restart")
        case .cancelForced:
            JobCell(.moves(.cancelled), "committed, then the container is removed by force; no later report is taken")
        case .overdue:
            JobCell(.moves(.timedOut), "committed, then the container is removed by force; no later report is taken")
        case .outOfMemory:
            JobCell(.moves(.failed), "the reason names the memory limit")
        case .retried:
            JobCell(.moves(.queued), "no new attempt begins before the old one's container is seen to be gone")
        default:
            JobCell(.moves(.lost), "its policy has no attempt left: it may have had effects, and a person decides")
        }
    }

    private func finalCell(on event: JobEvent) -> JobCell {
        switch event {
        case .assigned:
            JobCell(.refused, "a finished job is never given to a runner")
        case .dependenciesMet, .approved, .skipped, .expired, .unassigned, .unrunnable:
            JobCell(.ignored, "the end has been committed and stands")
        case .started, .reportedSuccess, .reportedFailure, .reportedCancelled, .reportedTimeout:
            JobCell(.ignored, "the first end stands; relayd is told to forget the attempt")
        case .withdrawn, .cancelAsked:
            JobCell(.ignored, "the canceller is told how it ended")
        case .cancelForced, .overdue, .outOfMemory, .runnerLost, .retried:
            JobCell(.ignored, "the first end stands; the container is being removed")
        }
    }
}
