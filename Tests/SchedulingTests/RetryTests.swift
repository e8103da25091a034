// Faults of the house: tried again by policy, never two attempts at once, and never for a job's own failure.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct RetryTests {
    private func begun(
        _ house: House, _ name: String = "hello", retries: UInt8
    ) throws -> (job: UInt64, attempt: Attempt) {
        let job = try house.submit(name) { $0.schedule.retries = retries }
        try house.run("told") { !house.relay.jobs.isEmpty }
        let attempt = try house.relay.attempt()
        house.relay.begin(attempt)
        try house.run(job, to: .running)
        return (job, attempt)
    }

    private func runner(of job: UInt64, _ house: House) throws -> Bytes16 {
        try #require(try house.runners().first { $0.job == job }).id
    }

    @Test func aLostRunnerIsAnotherAttempt() throws {
        let house = try House(maxRunners: 4)
        let (job, attempt) = try begun(house, retries: 1)
        house.spawner.exit(try runner(of: job, house))
        try house.run("second attempt") { house.relay.jobs.keys.contains { $0.attempt == 2 } }
        #expect(house.relay.settled.contains(attempt))
        let second = try #require(house.relay.jobs.keys.first { $0.attempt == 2 })
        #expect(try house.witness.see { try $0.steps(ofJob: job) }.isEmpty, "steps are of the new attempt")
        house.relay.begin(second)
        house.relay.finish(second, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(house.spawner.created.count == 2)
    }

    /// What ends a job is an engine that answers and refuses it, three times running: not one that was away before, and
    /// not the faults of earlier attempts.
    @Test func anEngineThatWasAwayIsNoRefusal() throws {
        let house = try House(maxRunners: 4)
        var failure = Failure(.engineUnavailable, "connection refused")
        house.spawner.refusal = { _ in failure }
        let job = try house.submit()
        try house.run("tried") { try house.job(job).attempts >= 5 }
        var refused = 0
        failure = Failure(.engineRefused, "mount /var/lib/x/merged:/job: no; see http://engine/help, docker.io/a/b")
        house.spawner.refusal = { _ in
            refused += 1
            return failure
        }
        try house.run(job, to: .failed)
        #expect(refused == 3)
        // Where things lie on this machine is nothing for a job's author.
        let words = "mount …/merged:/job: no; see http://engine/help, docker.io/a/b"
        #expect(try house.job(job).reason == "no runner can be made for it: \(words)")
    }

    /// The old container may still be at work: until it is seen to be gone, nothing begins, however long that takes.
    @Test func noAttemptBeforeTheOldContainerIsGone() throws {
        let house = try House(maxRunners: 4)
        house.spawner.removalFailure = Failure(.engineUnavailable, "hangs")
        let (job, attempt) = try begun(house, retries: 2)
        house.relay.lose(try runner(of: job, house), .deadlineExceeded, "does not answer")
        house.spawner.exit(try runner(of: job, house))
        try house.run(job, to: .queued)
        try house.run("removal tried") { house.spawner.count("remove") > 3 }
        #expect(try house.state(job) == .queued && house.relay.jobs.isEmpty)
        #expect(house.spawner.created.count == 1)
        #expect(try house.witness.see { try $0.gate(ofJob: job) } == .fence)
        // A late word of the old attempt changes nothing.
        house.relay.finish(attempt, .succeeded)
        house.settle()
        #expect(try house.state(job) == .queued)
        house.spawner.removalFailure = nil
        try house.run("second attempt") { house.relay.jobs.keys.contains { $0.attempt == 2 } }
    }

    @Test func theFenceOutlivesARestart() throws {
        let house = try House(maxRunners: 4)
        house.spawner.removalFailure = Failure(.engineUnavailable, "hangs")
        let (job, _) = try begun(house, retries: 2)
        house.spawner.exit(try runner(of: job, house))
        try house.run(job, to: .queued)
        try house.restart()
        try house.run("removal tried") { house.spawner.count("remove") > 3 }
        #expect(try house.state(job) == .queued && house.spawner.created.count == 1)
        house.spawner.removalFailure = nil
        try house.run("second attempt") { house.relay.jobs.keys.contains { $0.attempt == 2 } }
    }

    @Test func thePolicyIsUsedUp() throws {
        let house = try House(maxRunners: 4)
        let job = try house.submit { $0.schedule.retries = 2 }
        for number in UInt32(1)...3 {
            try house.run("attempt \(number)") { house.relay.jobs.keys.contains { $0.attempt == number } }
            house.spawner.exit(try runner(of: job, house))
            try house.run("ended") { !house.relay.jobs.keys.contains { $0.attempt == number } }
        }
        try house.run(job, to: .lost)
        try house.expectEmpty()
        #expect(house.spawner.created.count == 3)
    }

    @Test func theJobsOwnFailureIsFinal() throws {
        for state in [JobState.failed, .timedOut] {
            let house = try House(maxRunners: 4)
            let (job, attempt) = try begun(house, retries: 5)
            house.relay.finish(attempt, state)
            try house.run(job, to: state)
            try house.expectEmpty()
            #expect(house.spawner.created.count == 1)
        }
        let house = try House(maxRunners: 4)
        let (job, _) = try begun(house, retries: 5)
        house.spawner.exit(try runner(of: job, house), outOfMemory: true)
        try house.run(job, to: .failed)
        // Whoever breaks the protocol inside the container must not get more tries at it.
        let (other, _) = try begun(house, "other", retries: 5)
        house.relay.lose(try runner(of: other, house), .runnerViolation, "frame")
        try house.run(other, to: .lost)
    }

    @Test func whoIsBeingCancelledIsNotTriedAgain() throws {
        let house = try House(maxRunners: 4)
        let (job, _) = try begun(house, retries: 5)
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: 60))
        house.spawner.exit(try runner(of: job, house))
        try house.run(job, to: .lost)
        try house.expectEmpty()
    }

    /// Its time in the queue was over while it ran: another attempt is another wait.
    @Test func anotherAttemptHasItsOwnPatience() throws {
        let house = try House(maxRunners: 4)
        let job = try house.submit {
            $0.schedule.retries = 1
            $0.schedule.queueTimeoutSeconds = 1
        }
        try house.run("told") { !house.relay.jobs.isEmpty }
        let begin = Posix.monotonicNow()
        try house.run("a second passes") { Posix.monotonicNow() - begin > 1_200_000_000 }
        house.spawner.exit(try runner(of: job, house))
        try house.run("second attempt") { house.relay.jobs.keys.contains { $0.attempt == 2 } }
    }

    @Test func aRetriedJobKeepsItsPlaceInItsGroup() throws {
        let house = try House(maxRunners: 4)
        let first = try house.submit("first") {
            $0.schedule.retries = 1
            $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
        }
        try house.run("told") { !house.relay.jobs.isEmpty }
        let second = try house.submit("second") { $0.schedule.group = Group(name: "deploy", cancelInProgress: false) }
        house.spawner.exit(try runner(of: first, house))
        try house.run("second attempt") { house.relay.jobs.keys.contains { $0.attempt == 2 } }
        #expect(try house.state(second) == .queued)
    }
}
