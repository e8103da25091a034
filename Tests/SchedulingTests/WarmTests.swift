// Runners in advance: made for the pools of late, used once, gone after the cooldown; and what the machine has is not
// promised twice.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct WarmTests {
    private func warm(_ adjust: @escaping (inout SchedulerSettings) -> Void = { _ in }) throws -> House {
        try House(maxRunners: 8) {
            $0.maxIdleRunners = 2
            adjust(&$0)
        }
    }

    private func idle(_ house: House) throws -> [RunnerRow] {
        try house.runners().filter { $0.state == .idle && $0.job == nil }
    }

    private func finishAll(_ house: House) throws {
        while let attempt = house.relay.jobs.keys.first {
            house.relay.finish(attempt, .succeeded)
            try house.run("settled") { house.relay.jobs[attempt] == nil }
        }
    }

    @Test func thePoolOfAJobIsKeptWarmAndARunnerIsUsedOnce() throws {
        let house = try warm()
        try house.submit("first")
        try house.run("two idle") { try self.idle(house).count == 2 }
        try finishAll(house)
        let before = Set(try idle(house).map(\.id))
        let second = try house.submit("second")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == second } }
        let taken = try #require(house.relay.jobs.values.first { $0.attempt.job == second }).runner
        #expect(before.contains(taken), "it took one that waited")
        try finishAll(house)
        try house.run("two again") { try self.idle(house).count == 2 && house.runners().count == 2 }
        #expect(try !idle(house).map(\.id).contains(taken), "used once")
        #expect(house.spawner.created.count == 4)
    }

    @Test func nothingIsLeftWhenTheCooldownIsOver() throws {
        let house = try warm { $0.cooldown = .milliseconds(300) }
        try house.submit("first")
        try house.run("two idle") { try self.idle(house).count == 2 }
        try finishAll(house)
        try house.expectEmpty()
        #expect(house.spawner.created.count == 3)
    }

    /// Whoever stops the house would otherwise leave containers behind that nobody removes.
    @Test func runnersThatWaitGoWithTheHouse() throws {
        let house = try warm()
        let (job, _) = try house.running("first")
        try house.run("two idle") { try self.idle(house).count == 2 }
        house.scheduler.leave()
        house.loop.runPass()
        #expect(house.scheduler.isClearing)
        try house.run("cleared") { !house.scheduler.isClearing }
        #expect(house.spawner.containers.count == 1)
        try house.restart()
        let after = try house.submit("after")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == after } }
        #expect(try house.state(job) == .running)
    }

    /// Another's pool is none of a job's: neither another shape nor another class of trust.
    @Test func eachPoolHasItsOwn() throws {
        let house = try warm { $0.idleOfImage = ["busybox": 1, "debian": 1] }
        try house.submit("first", image: "busybox")
        try house.submit("second", image: "debian")
        try house.run("one idle of each") { Set(try self.idle(house).map(\.pool)).count == 2 }
        #expect(try house.runners().count == 4)
    }

    /// A pool whose runners cannot be made is tried ever more seldom, and says why.
    @Test func aFailedStartIsNotTriedForEver() throws {
        let house = try warm {
            $0.retryShortest = .seconds(60)
            $0.retryLongest = .seconds(60)
        }
        var isBroken = false
        house.spawner.refusal = { _ in isBroken ? Failure(.imageMissing, "no such image") : nil }
        try house.submit("first")
        try house.run("told") { !house.relay.jobs.isEmpty }
        isBroken = true
        try house.run("idle") { try self.idle(house).count == 2 }
        try finishAll(house)
        try house.submit("second")
        try house.run("told") { !house.relay.jobs.isEmpty }
        try house.run("one try") { house.spawner.created.count == 4 }
        house.settle()
        #expect(house.spawner.created.count == 4)
        let pool = try #require(
            try house.call(SchedulerEdge.ListPools(token: Samples.token)).pools.first)
        #expect(pool.trouble == "no such image" && pool.idle == 1 && pool.busy == 1)
    }

    /// A spare takes nothing from a job that waits.
    @Test func sparesMakeRoom() throws {
        let house = try House(maxRunners: 2) { $0.maxIdleRunners = 2 }
        try house.submit("first", image: "busybox")
        try house.run("one idle beside it") { try self.idle(house).count == 1 }
        let other = try house.submit("other", image: "debian")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == other } }
    }

    /// Two pools have one spare each, and a third needs a place: the one that was used last keeps its own.
    @Test(arguments: [("busybox", "debian"), ("debian", "busybox")])
    func thePoolThatWasUsedLeastLatelyMakesRoom(_ older: String, _ newer: String) throws {
        let house = try House(maxRunners: 2) {
            $0.maxIdleRunners = 2
            $0.idleOfImage = ["busybox": 1, "debian": 1, "alpine": 0]
        }
        for image in [older, newer] {
            try house.submit(image, image: image)
            try house.run("told") { house.relay.jobs.count == 1 }
            try finishAll(house)
        }
        try house.run("one idle of each") { Set(try self.idle(house).map(\.pool)).count == 2 }
        let kept = try #require(try house.witness.see { try $0.pools(usedSince: -1, limit: 1) }.first).pool
        let other = try house.submit("other", image: "alpine")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == other } }
        #expect(try idle(house).map(\.pool) == [kept])
    }

    /// Somebody else's container does not go: that is no reason to wait for it.
    @Test func aTeardownThatHangsStopsNoSpareFromMakingRoom() throws {
        let house = try House(maxRunners: 2) { $0.maxIdleRunners = 1 }
        let (first, attempt) = try house.told("first", secrets: [])
        house.spawner.stuck = Set(try house.runners().filter { $0.job == first }.map(\.id))
        try house.run("one idle") { try self.idle(house).count == 1 }
        house.relay.finish(attempt, .succeeded)
        try house.run("hangs") { house.spawner.count("remove") > 2 }
        let other = try house.submit("other", image: "debian")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == other } }
    }

    /// An earlier life was allowed more.
    @Test func surplusSparesAreGivenBack() throws {
        let house = try warm()
        try house.submit("first")
        try house.run("two idle") { try self.idle(house).count == 2 }
        house.settings.maxIdleRunners = 1
        try house.restart()
        try house.run("one idle") { try self.idle(house).count == 1 }
        for _ in 0..<5 { house.settle() }
        #expect(try idle(house).count == 1)
    }

    /// A line that no room would help is no reason to let a spare go, and to make it again.
    @Test func whoWaitsForADeviceTakesNoSpare() throws {
        let house = try House(maxRunners: 1) { $0.maxIdleRunners = 1 }
        try house.submit("first")
        try house.run("told") { house.relay.jobs.count == 1 }
        let waits = try house.submit("waits") { $0.spec.shape.gpus = GPUs(count: 1, vendor: nil) }
        try finishAll(house)
        try house.run("one idle") { try self.idle(house).count == 1 }
        for _ in 0..<20 { house.settle() }
        #expect(house.spawner.created.count == 2)
        #expect(try house.state(waits) == .queued)
    }

    @Test func theMachineIsNotPromisedTwice() throws {
        let house = try House(maxRunners: 8) { $0.cpuPercent = 150 }
        house.spawner.cpus = 2
        try house.restart()
        for number in 1...5 { try house.submit("\(number)") }
        try house.run("three told") { house.relay.jobs.count == 3 }
        house.settle()
        #expect(house.spawner.created.count == 3, "2 CPUs at 150 percent")
        house.relay.finish(try #require(house.relay.jobs.keys.first), .succeeded)
        try house.run("a fourth") { house.spawner.created.count == 4 }
    }

    @Test func whatIsLargerThanTheMachineFailsAtOnce() throws {
        let house = try House(maxRunners: 8)
        house.spawner.cpus = 2
        try house.restart()
        let job = try house.submit { $0.spec.shape.resources.cpuMillis = 5000 }
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason.contains("5 CPUs") && house.job(job).reason.contains("4 CPUs"))
        #expect(house.spawner.created.isEmpty)
    }

    /// Small jobs pass a large one by, until its patience is over; then the machine runs empty for it.
    @Test func aLargeJobIsNotPassedByForEver() throws {
        let house = try House(maxRunners: 8) {
            $0.cpuPercent = 100
            $0.patience = .milliseconds(200)
        }
        house.spawner.cpus = 2
        try house.restart()
        try house.submit("small 0", project: "a")
        try house.run("told") { house.relay.jobs.count == 1 }
        let large = try house.submit("large", project: "b") { $0.spec.shape.resources.cpuMillis = 2000 }
        var passed = 0
        for number in 1...500 {
            try house.submit("small \(number)", project: "c\(number)")
            house.settle()
            if try house.state(large) != .queued { break }
            guard let attempt = house.relay.jobs.keys.first else { continue }
            house.relay.finish(attempt, .succeeded)
            try house.run("settled") { house.relay.jobs[attempt] == nil }
            passed += 1
        }
        #expect(try house.state(large) != .queued && passed > 1, "\(passed) passed it by")
    }

    @Test func aDrainingHouseBeginsNothing() throws {
        let house = try warm()
        let first = try house.submit("first")
        try house.run("two idle") { try self.idle(house).count == 2 }
        let reply = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        #expect(reply.running == 1)
        let second = try house.submit("second")
        try house.run("spares are gone") { try house.runners().count == 1 }
        #expect(try house.state(second) == .queued)
        try house.restart()
        house.settle()
        #expect(try house.state(second) == .queued, "it outlives a restart")
        try finishAll(house)
        try house.run(first, to: .succeeded)
        try house.expectEmpty()
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: false))
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == second } }
    }
}
