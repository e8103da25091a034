// Jobs that wait for jobs: what each condition makes of each end, chains, and what may be waited for at all.

import Scheduling
import Store
import Testing
import Wire

@Suite struct NeedsTests {
    private func waits(_ house: House, for needs: [UInt64], _ condition: Condition = .allSuccess) throws -> UInt64 {
        try house.submit("waits \(needs) \(condition)") {
            $0.schedule.needs = needs
            $0.schedule.condition = condition
        }
    }

    private func finish(_ house: House, _ job: UInt64, _ state: JobState) throws {
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        let attempt = try #require(house.relay.jobs.keys.first { $0.job == job })
        house.relay.finish(attempt, state)
        try house.run(job, to: state)
    }

    @Test func eachConditionWithEachEnd() throws {
        for end in [JobState.succeeded, .failed, .timedOut] {
            let house = try House(maxRunners: 4)
            let first = try house.submit("first")
            let jobs = try [Condition.allSuccess, .anyFailed, .always].map { try waits(house, for: [first], $0) }
            for job in jobs { #expect(try house.state(job) == .blocked) }
            try finish(house, first, end)
            let runs = end == .succeeded ? [jobs[0], jobs[2]] : [jobs[1], jobs[2]]
            let skipped = end == .succeeded ? jobs[1] : jobs[0]
            for job in runs { try finish(house, job, .succeeded) }
            try house.run(skipped, to: .cancelled)
            #expect(try house.job(skipped).reason.hasPrefix("not run: "))
            try house.expectEmpty()
        }
    }

    @Test func oneOfManyIsEnoughToSkipAndAllAreNeededToRun() throws {
        let house = try House(maxRunners: 4)
        let first = try house.submit("first")
        let second = try house.submit("second")
        let all = try waits(house, for: [first, second])
        let any = try waits(house, for: [first, second], .anyFailed)
        let always = try waits(house, for: [first, second], .always)
        try finish(house, first, .failed)
        try house.run(all, to: .cancelled)
        try house.run("any runs") { try house.state(any) != .blocked }
        #expect(try house.state(always) == .blocked)
        try finish(house, second, .succeeded)
        try house.run("always runs") { try house.state(always) != .blocked }
    }

    @Test func whatHasEndedAlreadyCounts() throws {
        let house = try House(maxRunners: 2)
        let first = try house.submit("first")
        try finish(house, first, .succeeded)
        let late = try waits(house, for: [first])
        try house.run("late runs") { try house.state(late) != .blocked }
        let never = try waits(house, for: [first], .anyFailed)
        #expect(try house.state(never) == .cancelled)
    }

    /// No call stack grows with it.
    @Test func aLongChainIsSkippedToItsEnd() throws {
        let house = try House(maxRunners: 1)
        let first = try house.submit("first")
        var last = first
        for _ in 0..<300 { last = try waits(house, for: [last]) }
        #expect(try house.state(last) == .blocked)
        try finish(house, first, .failed)
        try house.run(last, to: .cancelled)
        try house.expectEmpty()
    }

    @Test func itOutlivesARestart() throws {
        let house = try House(maxRunners: 2)
        let first = try house.submit("first")
        let second = try waits(house, for: [first])
        try house.run("told") { !house.relay.jobs.isEmpty }
        try house.restart()
        #expect(try house.state(second) == .blocked)
        try finish(house, first, .succeeded)
        try finish(house, second, .succeeded)
        try house.expectEmpty()
    }

    @Test func aBlockedJobCanBeCancelledAndOthersFollow() throws {
        let house = try House(maxRunners: 1)
        let first = try house.submit("first")
        let second = try waits(house, for: [first])
        let third = try waits(house, for: [second])
        let cleanUp = try waits(house, for: [second], .always)
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: second, graceSeconds: 0))
        #expect(try house.state(second) == .cancelled && house.state(third) == .cancelled)
        #expect(try house.state(cleanUp) == .queued)
    }

    /// Nobody learns how another project's jobs end; and what is not there is said at once.
    @Test func onlyJobsOfTheSameProjectThatAreThere() throws {
        let house = try House(maxRunners: 1)
        let other = try house.submit("other", project: "bakery")
        for needed in [other, 4711] {
            var definition = Samples.definition()
            definition.schedule.needs = [needed]
            #expect(try house.failure(Samples.submission("r\(needed)", definition)) == .invalid)
        }
        let same = try house.submit("same", project: "bakery") { $0.schedule.needs = [other] }
        #expect(try house.state(same) == .blocked, "control")
    }
}
