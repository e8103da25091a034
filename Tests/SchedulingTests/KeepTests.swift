// The machine is let run empty for a large job that has waited: for how long, against whom, and not when it is of no
// use.

import Scheduling
import Store
import Testing
import Wire

@Suite struct KeepTests {
    /// Four CPUs, a small job that runs for at most `timeout`, and a large one that needs all and has waited so long.
    private struct Crowd {
        let house: House
        let large: UInt64
        let anchor: Attempt

        init(timeout: UInt32, waited: Int64 = 100_000, secrets: [String] = [], hope: Duration = .seconds(300)) throws {
            house = try House(maxRunners: 8) {
                $0.cpuPercent = 100
                $0.keepInHope = hope
            }
            house.spawner.cpus = 4
            try house.restart()
            let job = try house.submit("anchor", timeout: timeout, project: "a")
            try house.run("told") { [house] in !house.relay.jobs.isEmpty }
            anchor = try house.relay.attempt()
            house.relay.begin(anchor)
            try house.run(job, to: .running)
            large = try house.submit("large", secrets: secrets, project: "b") {
                $0.spec.shape.resources.cpuMillis = 4000
            }
            try house.patch("UPDATE jobs SET queued_at = queued_at - \(waited) WHERE id = \(large)")
        }

        /// A small one that has room: whether it begins.
        func passes(_ name: String, secrets: [String] = []) throws -> Bool {
            let job = try house.submit(name, secrets: secrets, project: name)
            house.settle()
            return try house.state(job) != .queued
        }

        func finish(_ attempt: Attempt) throws {
            house.relay.finish(attempt, .succeeded)
            try house.run("gone") { [house] in
                try !house.runners().contains { $0.job == attempt.job || $0.state == .teardown }
            }
        }
    }

    @Test func nobodyPassesAsLongAsItIsOfUse() throws {
        let crowd = try Crowd(timeout: 60)
        #expect(try !crowd.passes("small"))
        try crowd.finish(crowd.anchor)
        try crowd.house.run("told") { try crowd.house.state(crowd.large) != .queued }
    }

    /// Two jobs of a stranger must not stop the house: a small one of seven days, and a large one that waits for it.
    @Test func whatIsInTheWayForLongHoldsUpNobody() throws {
        let crowd = try Crowd(timeout: 604_800, hope: .milliseconds(500))
        #expect(try !crowd.passes("first"), "it may end soon, for all anybody knows")
        try crowd.house.run("others pass") { try crowd.house.witness.see { try $0.tally()[.queued] } == 1 }
        // And it does not begin anew.
        for number in 0..<5 { #expect(try crowd.passes("later\(number)") || crowd.house.runners().count == 4) }
    }

    /// In hope of an end that does not come; then others pass for as long as they were held up.
    @Test func others() throws {
        let crowd = try Crowd(timeout: 604_800, hope: .milliseconds(300))
        let small = try crowd.house.submit("small", project: "c")
        crowd.house.settle()
        #expect(try crowd.house.state(small) == .queued)
        // By the clock alone: nothing else happens.
        try crowd.house.run("it passes") { try crowd.house.state(small) != .queued }
    }

    /// It has waited as long as the other may take: that one is bound to end.
    @Test func whoHasWaitedLongIsServedInTheEnd() throws {
        let week = try Crowd(timeout: 604_800, waited: 700_000_000, hope: .zero)
        #expect(try !week.passes("small"))
        let day = try Crowd(timeout: 604_800, waited: 86_400_000, hope: .zero)
        #expect(try day.passes("small"), "control")
    }

    @Test func whoIsTrustedLessHoldsUpNobodyWhoIsTrustedMore() throws {
        let strangers = try Crowd(timeout: 60)
        #expect(try !strangers.passes("stranger"))
        #expect(try strangers.passes("trusted", secrets: ["npm"]))
        let trusted = try Crowd(timeout: 60, secrets: ["npm"])
        #expect(try !trusted.passes("trusted", secrets: ["npm"]) && !trusted.passes("stranger"), "control")
    }
}
