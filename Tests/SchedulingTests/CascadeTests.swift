// What follows from one end, or from one new job, for very many others: some of them in each commit, so that somebody
// is answered between two; and a kill in the middle leaves nobody behind.

import Scheduling
import Store
import Testing
import Wire

@Suite struct CascadeTests {
    private static let many = 1000
    /// What one commit may end.
    private static let most = 256

    /// The most jobs that left one of these states in one commit.
    private final class Pace {
        private(set) var worst = 0

        init(_ house: House, _ states: [JobState]) {
            var before: Int?
            house.store.beforeCommit = { [self] in
                // Another connection: what was committed before this one.
                let now = try house.witness.see { rows in try states.reduce(0) { $0 + (try rows.tally()[$1] ?? 0) } }
                if let before { worst = max(worst, before - now) }
                before = now
            }
        }
    }

    private func fan(_ house: House) throws -> (root: UInt64, others: [UInt64]) {
        let root = try house.submit("root")
        return (
            root,
            try (0..<Self.many).map { number in try house.submit("job \(number)") { $0.schedule.needs = [root] } }
        )
    }

    private func group(_ house: House, _ name: String, cancels: Bool = false) throws -> UInt64 {
        try house.submit(name) { $0.schedule.group = Group(name: "deploy", cancelInProgress: cancels) }
    }

    private func blocked(_ house: House) throws -> Int { try house.witness.see { try $0.tally()[.blocked] ?? 0 } }
    private func queued(_ house: House) throws -> Int { try house.witness.see { try $0.tally()[.queued] ?? 0 } }

    @Test func thoseThatNeedAJobEndSomeAtATime() throws {
        let house = try House(maxRunners: 1)
        let (root, others) = try fan(house)
        let pace = Pace(house, [.blocked])
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: root, graceSeconds: 0))
        try house.run("all skipped") { try blocked(house) == 0 }
        // One more commit shows what the last one did.
        try house.submit("last")
        #expect(pace.worst > 0 && pace.worst <= Self.most)
        for job in others { #expect(try house.state(job) == .cancelled) }
    }

    @Test func aKillInTheMiddleLeavesNobodyBehind() throws {
        let house = try House(maxRunners: 1)
        let (root, others) = try fan(house)
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: root, graceSeconds: 0))
        try house.run("some skipped") { try blocked(house) < Self.many }
        #expect(try blocked(house) > 0, "it was not in the middle, so nothing is shown")
        try house.restart()
        try house.run("all skipped") { try blocked(house) == 0 }
        for job in others { #expect(try house.state(job) == .cancelled) }
    }

    @Test func thoseOfAGroupEndSomeAtATimeAndAKillLeavesNobodyBehind() throws {
        let house = try House(maxRunners: 1)
        let (busy, _) = try house.told("busy")
        let others = try (0..<Self.many).map { try group(house, "job \($0)") }
        let pace = Pace(house, [.queued])
        let last = try group(house, "last", cancels: true)
        #expect(try queued(house) > Self.many / 2, "it was not in the middle, so nothing is shown")
        try house.restart()
        try house.run("all replaced") { try queued(house) == 1 }
        #expect(pace.worst <= Self.most)
        #expect(try house.state(last) == .queued && house.job(last).gate == .open)
        for job in others { #expect(try house.state(job) == .cancelled) }
        #expect(try house.state(busy) == .assigned)
    }

    /// The same without the kill.
    @Test func aNewJobReplacesALongGroup() throws {
        let house = try House(maxRunners: 1)
        _ = try house.told("busy")
        let others = try (0..<Self.many).map { try group(house, "job \($0)") }
        let pace = Pace(house, [.queued])
        let last = try group(house, "last", cancels: true)
        try house.run("all replaced") { try queued(house) == 1 }
        try house.submit("one more")
        #expect(pace.worst > 0 && pace.worst <= Self.most)
        let reason = "cancelled: job \(last) of its group replaces it"
        for job in others { #expect(try house.job(job).reason == reason) }
    }
}
