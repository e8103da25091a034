// Cancelling a job in each of its states.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct CancelTests {
    private func cancel(_ house: House, _ job: UInt64, grace: UInt32 = 10) throws -> JobState {
        try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: grace)).state
    }

    @Test func queued() throws {
        let house = try House(maxRunners: 1)
        _ = try house.told("first")
        let job = try house.submit("second")
        #expect(try cancel(house, job) == .cancelled)
        #expect(try house.state(job) == .cancelled && house.job(job).reason == "cancelled before it began")
        #expect(try house.failure(SchedulerEdge.OpenLog(token: Samples.token, job: job)) == .notFound)
    }

    @Test func assignedToARunnerThatIsBeingMade() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        #expect(try cancel(house, job) == .cancelled)
        try house.expectEmpty()
        #expect(house.relay.told.isEmpty && house.relay.settled.isEmpty)
    }

    @Test func assignedAndTold() throws {
        let house = try House()
        let (job, attempt) = try house.told()
        #expect(try cancel(house, job) == .assigned)
        #expect(house.relay.cancelled == [attempt])
        house.relay.finish(attempt, .cancelled)
        try house.run(job, to: .cancelled)
        try house.expectEmpty()
    }

    /// Whoever asks again and again must not put the end off.
    @Test func aGraceDoesNotBeginAnew() throws {
        let house = try House { $0.cancelMargin = .milliseconds(1) }
        let (job, _) = try house.running()
        _ = try cancel(house, job, grace: 1)
        try house.run("the end, though it is asked for again and again") {
            _ = try cancel(house, job, grace: 3600)
            return try house.state(job) == .cancelled
        }
    }

    @Test func running() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        #expect(try cancel(house, job) == .running)
        #expect(try cancel(house, job, grace: 5) == .running)
        #expect(house.relay.cancelled == [attempt, attempt])
        house.relay.finish(attempt, .cancelled)
        try house.run(job, to: .cancelled)
        try house.expectEmpty()
    }

    @Test func aRunnerThatDoesNotListenIsRemoved() throws {
        let house = try House { $0.cancelMargin = .milliseconds(10) }
        let (job, _) = try house.running()
        #expect(try cancel(house, job, grace: 0) == .running)
        try house.run(job, to: .cancelled)
        #expect(try house.job(job).reason.contains("did not end within its grace"))
        try house.expectEmpty()
    }

    @Test func theGraceSurvivesARestart() throws {
        let house = try House { $0.cancelMargin = .milliseconds(10) }
        let (job, attempt) = try house.running()
        house.settings.cancelMargin = .seconds(60)
        try house.restart()
        #expect(try cancel(house, job, grace: 0) == .running)
        house.settings.cancelMargin = .milliseconds(10)
        try house.restart()
        try house.run(job, to: .cancelled)
        #expect(house.relay.cancelled.contains(attempt))
        try house.expectEmpty()
    }

    @Test func whileRelaydIsAwayItIsSaidWhenRelaydIsBack() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.down(losingStreams: false)
        #expect(try cancel(house, job) == .running)
        #expect(house.relay.cancelled.isEmpty)
        house.relay.up()
        try house.run("told") { house.relay.cancelled.contains(attempt) }
    }

    @Test func finishedOrUnknown() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        #expect(try cancel(house, job) == .succeeded)
        #expect(
            try house.failure(SchedulerEdge.CancelJob(token: Samples.token, job: .max, graceSeconds: 0)) == .notFound)
    }
}
