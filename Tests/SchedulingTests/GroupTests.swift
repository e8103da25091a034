// Groups and tags: what keeps a job out of the line though there is room.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct GroupTests {
    private func deploy(
        _ house: House, _ name: String, cancels: Bool = false, project: String = "shop", priority: UInt8 = 40
    ) throws -> UInt64 {
        try house.submit(name, project: project) {
            $0.schedule.group = Group(name: "deploy", cancelInProgress: cancels)
            $0.schedule.priority = priority
        }
    }

    private func finish(_ house: House, _ job: UInt64, _ state: JobState = .succeeded) throws {
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        house.relay.finish(try #require(house.relay.jobs.keys.first { $0.job == job }), state)
        try house.run(job, to: state)
    }

    @Test func oneOfAGroupRunsAtATime() throws {
        let house = try House(maxRunners: 4)
        let first = try deploy(house, "first")
        let second = try deploy(house, "second")
        let urgent = try deploy(house, "urgent", priority: 50)
        let elsewhere = try deploy(house, "elsewhere", project: "bakery")
        let free = try house.submit("free")
        try house.run("three told") { house.relay.jobs.count == 3 }
        #expect(try house.state(second) == .queued && house.state(urgent) == .queued)
        #expect(Set(house.relay.jobs.keys.map(\.job)) == [first, elsewhere, free])
        try finish(house, first, .failed)
        try house.run("urgent told") { house.relay.jobs.keys.contains { $0.job == urgent } }
        #expect(try house.state(second) == .queued, "still one at a time")
        try finish(house, urgent)
        try finish(house, second)
    }

    /// Found by the simulation: a job that was ended by force, and a container that an engine did not remove yet.
    @Test func theNextOneWaitsUntilTheContainerIsGone() throws {
        let house = try House(maxRunners: 4)
        let first = try deploy(house, "first")
        try house.run("told") { !house.relay.jobs.isEmpty }
        let second = try deploy(house, "second")
        house.spawner.removalFailure = Failure(.engineUnavailable, "hangs")
        house.relay.finish(try house.relay.attempt(), .failed)
        try house.run(first, to: .failed)
        try house.run("removal tried") { house.spawner.count("remove") > 2 }
        #expect(try house.state(second) == .queued)
        try house.restart()
        house.settle()
        #expect(try house.state(second) == .queued)
        house.spawner.removalFailure = nil
        try finish(house, second)
    }

    /// Whom the dispatcher lets into the line itself, at a place that it has passed, waits for nobody else's news. How
    /// large the host is was not known when the job came that never fits, or it would not have come so far.
    @Test func whoFollowsOneThatNeverFitsIsNotForgotten() throws {
        let house = try House { $0.describeAgain = .milliseconds(5) }
        house.spawner.silence = Failure(.engineUnavailable, "not yet")
        let huge = try house.submit("huge") {
            $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
            $0.schedule.priority = 40
            $0.spec.shape.resources.cpuMillis = 1_000_000
        }
        let urgent = try deploy(house, "urgent", priority: 50)
        house.settle()
        #expect(try house.state(huge) == .queued && house.state(urgent) == .queued)
        house.spawner.silence = nil
        try house.run(huge, to: .failed)
        house.settle()
        #expect(try house.state(urgent) == .assigned)
    }

    /// The house comes back without a tag that a whole group asks for.
    @Test func aLongGroupWithoutItsTagIsNoBurden() throws {
        let house = try House(maxRunners: 1) { $0.tags = ["ssd"] }
        let (busy, _) = try house.told("busy")
        let jobs = try (0..<400).map { number in
            try house.submit("job \(number)") {
                $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
                $0.schedule.tags = ["ssd"]
            }
        }
        let free = try deploy(house, "free")
        house.settings.tags = []
        try house.restart()
        try finish(house, busy)
        try finish(house, free)
        #expect(try jobs.allSatisfy { try house.job($0).gate == .tags })
    }

    @Test func aNewerOneCancelsWhatIsInProgress() throws {
        let house = try House(maxRunners: 4)
        let first = try deploy(house, "first", cancels: true)
        try house.run("told") { !house.relay.jobs.isEmpty }
        let attempt = try house.relay.attempt()
        house.relay.begin(attempt)
        let second = try deploy(house, "second", cancels: true)
        let third = try deploy(house, "third", cancels: true)
        #expect(try house.state(second) == .cancelled, "it had not begun")
        #expect(try house.job(second).reason == "cancelled: job \(third) of its group replaces it")
        #expect(try house.state(third) == .queued, "the first one has its grace")
        try house.run("asked to cancel") { house.relay.cancelled.contains(attempt) }
        house.relay.finish(attempt, .cancelled)
        try house.run(first, to: .cancelled)
        try finish(house, third)
        try house.expectEmpty()
    }

    @Test func aGroupOutlivesARestart() throws {
        let house = try House(maxRunners: 4)
        let first = try deploy(house, "first")
        let second = try deploy(house, "second")
        try house.run("told") { house.relay.jobs.count == 1 }
        try house.restart()
        house.settle()
        #expect(try house.state(second) == .queued)
        try finish(house, first)
        try finish(house, second)
    }

    /// The line after a group's job that waits for another job: neither holds the other up.
    @Test func aBlockedJobHoldsNoGroup() throws {
        let house = try House(maxRunners: 1)
        let slow = try house.submit("slow")
        let blocked = try house.submit("blocked") {
            $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
            $0.schedule.needs = [slow]
        }
        let next = try deploy(house, "next")
        #expect(try house.witness.see { try $0.gate(ofJob: next) } == .open)
        try finish(house, slow)
        try house.run("joins") { try house.state(blocked) != .blocked }
        #expect(try house.witness.see { try $0.gate(ofJob: blocked) } == .group)
        try finish(house, next)
        try finish(house, blocked)
    }

    /// A restart takes a tag away from the one that held the group.
    @Test func whoCannotRunHereHoldsNoGroup() throws {
        let house = try House(maxRunners: 1) { $0.tags = ["big"] }
        let slow = try house.submit("slow")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == slow } }
        let tagged = try house.submit("tagged") {
            $0.schedule.tags = ["big"]
            $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
        }
        let next = try deploy(house, "next")
        #expect(try house.witness.see { try $0.gate(ofJob: next) } == .group, "control")
        house.settings.tags = []
        try house.restart()
        try house.run("its turn") { try house.witness.see { try $0.gate(ofJob: next) } == .open }
        #expect(try house.witness.see { try $0.gate(ofJob: tagged) } == .tags)
    }

    /// A stranger's job file may say what it likes.
    @Test func whoIsTrustedLessEndsNobodyWhoIsTrustedMore() throws {
        let house = try House(maxRunners: 4)
        let trusted = try house.submit("trusted", secrets: ["npm"]) {
            $0.schedule.group = Group(name: "deploy", cancelInProgress: false)
        }
        try house.run("told") { !house.relay.jobs.isEmpty }
        #expect(try house.job(trusted).trust != .untrusted)
        let stranger = try deploy(house, "stranger", cancels: true)
        house.settle()
        #expect(house.relay.cancelled.isEmpty)
        #expect(try house.job(trusted).cancelGrace == nil && house.state(stranger) == .queued)
    }

    /// Whoever pushes again and again must not give what is to end a new grace each time.
    @Test func aGraceRunsOnceHoweverOftenItIsReplaced() throws {
        let house = try House(maxRunners: 4)
        let first = try deploy(house, "first", cancels: true)
        try house.run("told") { !house.relay.jobs.isEmpty }
        for number in 1...3 { _ = try deploy(house, "next \(number)", cancels: true) }
        house.settle()
        #expect(house.relay.cancelled.count == 1)
        #expect(try house.state(first) == .assigned)
    }

    @Test func aTagThatThisHostLacksKeepsAJobWaiting() throws {
        let house = try House(maxRunners: 2) { $0.tags = ["ssd"] }
        let fits = try house.submit("fits") { $0.schedule.tags = ["ssd"] }
        let lacks = try house.submit("lacks") { $0.schedule.tags = ["big", "ssd"] }
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == fits } }
        #expect(try house.state(lacks) == .queued)
        house.settings.tags = ["ssd", "big"]
        try house.restart()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == lacks } }
    }
}
