// `why` of a job in the queue: all that is in its way and nothing that is not, the most permanent first.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct WhyQueuedTests {
    private func whys(_ house: House, _ job: UInt64) throws -> [SchedulerEdge.Why] {
        try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: job)).whys
    }

    /// One runner, which is busy.
    private func full(_ adjust: (inout SchedulerSettings) -> Void = { _ in }) throws -> House {
        let house = try House(maxRunners: 1) {
            $0.cpuPercent = 100
            adjust(&$0)
        }
        _ = try house.running("busy")
        return house
    }

    @Test func whatNeverFitsFailsAtOnceHoweverFullTheHouseIs() throws {
        let house = try full()
        let large = try house.submit("large") { $0.spec.shape.resources.memoryBytes = 1 << 38 }
        let job = try house.job(large)
        #expect(job.state == .failed && job.reason.contains("and this machine gives"), "\(job.reason)")
        let why = try #require(try whys(house, large).first)
        #expect(why.text == job.reason && why.advice.contains("mend what the reason names"))
        let grouped = try house.submit("grouped") {
            $0.spec.shape.resources.cpuMillis = 100_000
            $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
        }
        #expect(try house.state(grouped) == .failed)
        let fits = try house.submit("fits")
        #expect(try house.state(fits) == .queued)
    }

    @Test func oneThatNeedsOthersFailsWhenItsTurnComes() throws {
        let house = try House(maxRunners: 2)
        let (first, attempt) = try house.running("first")
        func large(_ name: String, after job: UInt64) throws -> UInt64 {
            try house.submit(name) {
                $0.spec.shape.resources.memoryBytes = 1 << 38
                $0.schedule.needs = [job]
                $0.schedule.condition = .always
            }
        }
        let second = try large("second", after: first)
        let third = try large("third", after: second)
        #expect(try whys(house, second).map(\.kind) == [.notEnoughResources, .needsOtherJobs])
        house.relay.finish(attempt, .succeeded)
        try house.run(third, to: .failed)
        #expect(try house.state(second) == .failed)
    }

    @Test func allObstaclesAtOnceTheMostPermanentFirst() throws {
        let house = try full()
        let group = Group(name: "deploy", cancelInProgress: false)
        let holder = try house.submit("holder") { $0.schedule.group = group }
        let job = try house.submit("job") {
            $0.schedule.group = group
            $0.schedule.tags = ["ssd"]
            $0.spec.shape.platform = .linuxRiscv64
            $0.spec.shape.gpus = GPUs(count: 2, vendor: .amd)
        }
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        let found = try whys(house, job)
        #expect(
            found.map(\.kind) == [
                .tagNotAvailable, .platformNotAvailable, .noSuchDevice, .groupIsBusy, .draining,
            ], "\(found)")
        #expect(found.contains { $0.text.contains("job \(holder) of its group") })
        #expect(try whys(house, holder).map(\.kind) == [.draining, .allRunnersInUse])
    }

    /// The engine is away, and the only runner waits to be removed: it is in nobody's use.
    @Test func roomThatIsHeldByLeftovers() throws {
        let house = try House(maxRunners: 1)
        let (first, attempt) = try house.running("first")
        house.spawner.removalFailure = Failure(.engineRefused, "device or resource busy")
        house.relay.finish(attempt, .succeeded)
        try house.run(first, to: .succeeded)
        let job = try house.submit("next")
        let leftovers = try whys(house, job)
        #expect(leftovers.map(\.kind) == [.allRunnersInUse] && leftovers[0].text.contains("have ended"), "\(leftovers)")
        house.spawner.down()
        #expect(try whys(house, job).map(\.kind) == [.spawnerdIsAway])
    }

    @Test func whatCouldNotBeMadeAtTheLastTry() throws {
        let house = try House(maxRunners: 1) { $0.maxIdleRunners = 1 }
        house.spawner.refusal = { $0.image == "typo" ? Failure(.imageMissing, "no such image") : nil }
        let first = try house.submit("first", image: "typo")
        try house.run(first, to: .failed)
        try house.expectEmpty()
        _ = try house.running("busy")
        let second = try house.submit("second", image: "typo")
        let found = try whys(house, second)
        #expect(found.map(\.kind) == [.runnerCannotBeMade], "\(found)")
        #expect(found[0].text.contains("image 'typo' is not on this engine"))
        let other = try house.submit("other", image: "debian")
        #expect(try whys(house, other).first?.kind == .allRunnersInUse)
    }

    /// Older jobs of its project are before it, whatever kind they are.
    @Test func howManyAreServedBefore() throws {
        let house = try full()
        func ahead(_ job: UInt64) throws -> String? { try whys(house, job).first { $0.kind == .behindOthers }?.text }
        let first = try house.submit("first", image: "a")
        #expect(try ahead(first) == nil)
        let second = try house.submit("second", image: "b")
        #expect(try ahead(second)?.hasPrefix("at least 1 job is served before it") == true)
        try house.submit("high", image: "c") { $0.schedule.priority = 90 }
        let third = try house.submit("third") { $0.spec.shape.resources.cpuMillis = 10 }
        let text = try #require(try ahead(third))
        #expect(text.hasPrefix("at least 3 jobs are served before it"), "\(text)")
        #expect(text.contains("priority") && text.contains("had less") && text.contains("older ones"))
    }
}
