// The table of runners: every state, every event, since spawnerd and relayd tell what they know in no common order.
// docs/job-states.md says the same for people, and a test compares them.

package typealias RunnerCell = StateCell<RunnerState>

extension RunnerState {
    /// What `event` does to a runner in this state.
    package func cell(on event: RunnerEvent) -> RunnerCell {
        switch self {
        case .pending: Self.pendingCell(on: event)
        case .provisioning: Self.provisioningCell(on: event)
        case .idle: Self.idleCell(on: event)
        case .busy: Self.busyCell(on: event)
        case .teardown: Self.teardownCell(on: event)
        case .gone: Self.goneCell(on: event)
        }
    }

    private static func pendingCell(on event: RunnerEvent) -> RunnerCell {
        switch event {
        case .provisioned:
            RunnerCell(.moves(.provisioning), "committed before spawnerd is asked: every container of ours has a row")
        case .ready, .createFailed, .exited, .removed:
            RunnerCell(.refused, "spawnerd has not been asked for it: news of it is false")
        case .taken:
            RunnerCell(.refused, "only an idle runner takes a job")
        case .jobEnded:
            RunnerCell(.refused, "it has been told of no job")
        case .released, .deleted, .failed:
            RunnerCell(.moves(.teardown), "the removal is asked for all the same; removing nothing succeeds")
        }
    }

    private static func provisioningCell(on event: RunnerEvent) -> RunnerCell {
        switch event {
        case .provisioned:
            RunnerCell(.stays, "asked again after a reconnection; the container's name makes it one container")
        case .ready:
            RunnerCell(
                .moves(.idle), "brokerd has wiped its key; if it was made for a job, the same commit gives it that job")
        case .taken:
            RunnerCell(.refused, "only an idle runner takes a job")
        case .createFailed:
            RunnerCell(.moves(.teardown), "half a container is removed, too")
        case .jobEnded:
            RunnerCell(.moves(.teardown), "its job ended before it was ready; it was never told")
        case .released, .deleted:
            RunnerCell(.moves(.teardown), "a container that is still being made is removed when it is there")
        case .exited, .failed:
            RunnerCell(
                .moves(.teardown),
                "its job, which it never heard of, ends with the reason; if it found no key, that job takes another "
                    + "runner")
        case .removed:
            RunnerCell(.refused, "nobody asked for the removal")
        }
    }

    private static func idleCell(on event: RunnerEvent) -> RunnerCell {
        switch event {
        case .provisioned:
            RunnerCell(.ignored, "it exists")
        case .ready:
            RunnerCell(.ignored, "told again after a reconnection")
        case .taken:
            RunnerCell(.moves(.busy), "job, attempt and runner are committed together, before relayd is told")
        case .createFailed:
            RunnerCell(.ignored, "it said hello, so it exists; a late answer changes nothing")
        case .jobEnded:
            RunnerCell(.moves(.teardown), "it is used once, even if it never began")
        case .released, .deleted:
            RunnerCell(.moves(.teardown), "no job is given to it any more")
        case .exited, .failed:
            RunnerCell(.moves(.teardown), "no job is given to it any more")
        case .removed:
            RunnerCell(.refused, "nobody asked for the removal")
        }
    }

    private static func busyCell(on event: RunnerEvent) -> RunnerCell {
        switch event {
        case .provisioned:
            RunnerCell(.ignored, "it exists")
        case .ready:
            RunnerCell(.ignored, "told again after a reconnection; RunJob is said again, harmless by its attempt")
        case .taken:
            RunnerCell(.refused, "one job in a runner's life")
        case .createFailed:
            RunnerCell(.ignored, "it said hello, so it exists; a late answer changes nothing")
        case .jobEnded:
            RunnerCell(.moves(.teardown), "in the same commit as the job's end: it is never used again")
        case .released, .deleted:
            RunnerCell(.refused, "it holds a job: cancel the job")
        case .exited, .failed:
            RunnerCell(.moves(.teardown), "its job ends in the same commit")
        case .removed:
            RunnerCell(.refused, "nobody asked for the removal")
        }
    }

    private static func teardownCell(on event: RunnerEvent) -> RunnerCell {
        switch event {
        case .provisioned:
            RunnerCell(.refused, "it is on its way out")
        case .ready, .createFailed, .exited, .failed:
            RunnerCell(.ignored, "it is on its way out")
        case .taken:
            RunnerCell(.refused, "only an idle runner takes a job")
        case .jobEnded, .released, .deleted:
            RunnerCell(.ignored, "it is on its way out; the removal is asked for until spawnerd confirms it")
        case .removed:
            RunnerCell(.moves(.gone), "the row goes after the container, so that none is forgotten")
        }
    }

    private static func goneCell(on event: RunnerEvent) -> RunnerCell {
        switch event {
        case .provisioned, .taken:
            RunnerCell(.refused, "an id is used once")
        case .ready, .createFailed, .exited, .failed:
            RunnerCell(.ignored, "a container of ours without a row is removed")
        case .jobEnded, .released, .deleted, .removed:
            RunnerCell(.ignored, "there is nothing left to do")
        }
    }
}
