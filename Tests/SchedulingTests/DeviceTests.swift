// Devices: each is leased to one runner, and comes back when that runner's container is seen to be gone.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct DeviceTests {
    private static func device(_ id: String, _ vendor: GPUVendor) -> SpawnerEdge.Device {
        .init(id: id, vendor: vendor, name: "test", memoryBytes: 1 << 30)
    }

    private func house(_ devices: [SpawnerEdge.Device]) throws -> House {
        let house = try House(maxRunners: 8)
        house.spawner.devices = devices
        try house.restart()
        return house
    }

    private func job(_ house: House, _ name: String, _ count: UInt8, _ vendor: GPUVendor? = nil) throws -> UInt64 {
        try house.submit(name) { $0.spec.shape.gpus = GPUs(count: count, vendor: vendor) }
    }

    @Test func eachIsOneRunnersAlone() throws {
        let house = try house([Self.device("a", .nvidia), Self.device("b", .nvidia), Self.device("c", .amd)])
        let first = try job(house, "first", 2, .nvidia)
        let second = try job(house, "second", 1, .nvidia)
        let any = try job(house, "any", 1)
        let none = try house.submit("none")
        try house.run("three told") { house.relay.jobs.count == 3 }
        house.settle()
        #expect(Set(house.spawner.passedIn) == [["a", "b"], ["c"], []])
        #expect(try house.state(second) == .queued && house.state(any) == .assigned && house.state(none) == .assigned)
        house.relay.finish(try #require(house.relay.jobs.keys.first { $0.job == first }), .succeeded)
        try house.run("second told") { house.relay.jobs.keys.contains { $0.job == second } }
        #expect(house.spawner.passedIn.last == ["a"])
    }

    /// The container may still use them: not before it is gone.
    @Test func theyComeBackWithTheContainerNotWithTheJob() throws {
        let house = try house([Self.device("a", .intel)])
        let first = try job(house, "first", 1)
        try house.run("told") { house.relay.jobs.count == 1 }
        house.spawner.removalFailure = Failure(.engineUnavailable, "hangs")
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(first, to: .succeeded)
        let second = try job(house, "second", 1)
        house.settle()
        #expect(try house.state(second) == .queued)
        try house.restart()
        house.settle()
        #expect(try house.state(second) == .queued, "leases outlive a restart")
        house.spawner.removalFailure = nil
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == second } }
    }

    @Test func noneIsMadeInAdvance() throws {
        let house = try House(maxRunners: 8) { $0.maxIdleRunners = 4 }
        house.spawner.devices = [Self.device("a", .amd), Self.device("b", .amd)]
        try house.restart()
        _ = try job(house, "first", 1)
        try house.run("told") { house.relay.jobs.count == 1 }
        house.settle()
        #expect(house.spawner.created.count == 1)
    }

    /// One that needs all of them waits for the second while others take what comes free: until its patience is over.
    @Test func whoNeedsManyIsNotPassedByForEver() throws {
        let house = try house([Self.device("a", .nvidia), Self.device("b", .nvidia), Self.device("c", .amd)])
        func finish(_ job: UInt64) throws {
            house.relay.finish(try #require(house.relay.jobs.keys.first { $0.job == job }), .succeeded)
            try house.run("gone") { try !house.runners().contains { $0.state == .teardown || $0.job == job } }
        }
        func told(_ job: UInt64) throws {
            try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        }
        let first = try job(house, "first", 1, .nvidia)
        try told(first)
        let many = try house.submit("many", project: "b") { $0.spec.shape.gpus = GPUs(count: 2, vendor: .nvidia) }
        let passes = try house.submit("passes", project: "c") { $0.spec.shape.gpus = GPUs(count: 1, vendor: .nvidia) }
        try told(passes)
        // A patience later.
        try house.patch("UPDATE jobs SET queued_at = -1000000 WHERE id = \(many)")
        let late = try house.submit("late", project: "d") { $0.spec.shape.gpus = GPUs(count: 1, vendor: .nvidia) }
        try finish(first)
        house.settle()
        #expect(try house.state(late) == .queued, "a device is kept")
        let why = try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: late)).whys.first
        #expect(why?.kind == .behindOthers && why?.text.contains("job \(many)") == true, "\(why as Any)")
        // Neither those of another vendor nor the machine.
        try told(try house.submit("other", project: "e") { $0.spec.shape.gpus = GPUs(count: 1, vendor: .amd) })
        try told(try house.submit("none", project: "f"))
        try finish(passes)
        try told(many)
        #expect(house.spawner.passedIn.contains(["a", "b"]))
        try finish(many)
        try told(late)
    }

    /// The books say that it is free, and spawnerd that it is not: nobody but those who want it waits.
    @Test func aDeviceThatIsAnothersStopsNobodyElse() throws {
        let house = try House(maxRunners: 8) {
            $0.retryShortest = .seconds(60)
            $0.retryLongest = .seconds(60)
        }
        house.spawner.devices = [Self.device("a", .amd), Self.device("b", .amd)]
        house.spawner.taken = ["a"]
        try house.restart()
        let first = try job(house, "first", 1)
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == first } }
        #expect(house.spawner.passedIn == [["a"], ["b"]])
        let plain = try house.submit("plain")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == plain } }
        #expect(try house.call(SchedulerEdge.GetStatus(token: Samples.token)).engineTrouble.isEmpty)
        let second = try job(house, "second", 1)
        house.settle()
        #expect(try house.state(second) == .queued && house.spawner.passedIn.count == 3)
    }

    /// The key of a shape whose job was never written is given to the next one: what was read of it must not stay.
    @Test func whatWasUndoneGivesNobodyADevice() throws {
        let house = try house([Self.device("a", .intel)])
        house.settle()
        var definition = Samples.definition("undone")
        definition.spec.shape.gpus = GPUs(count: 1, vendor: nil)
        house.store.beforeCommit = { throw StoreError.full }
        #expect(try house.failure(Samples.submission("undone", definition)) == .storageFull)
        house.store.beforeCommit = nil
        _ = try house.told("plain")
        #expect(house.spawner.passedIn == [[]])
    }

    @Test func otherJobsPassOneThatWaitsForADevice() throws {
        let house = try house([])
        let waits = try job(house, "waits", 1, .amd)
        let runs = try house.submit("runs")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == runs } }
        #expect(try house.state(waits) == .queued)
    }
}
