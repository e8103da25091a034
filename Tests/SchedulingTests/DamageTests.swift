// Rows that cannot be read: what they concern is given up, and everybody else goes on.

import GRDB
import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct DamageTests {
    /// Writes what schedulerd never writes.
    private func damage(_ house: House, _ sql: String) throws {
        let queue = try DatabaseQueue(path: house.directory.database)
        try queue.write { try $0.execute(sql: sql) }
    }

    /// Until then its row may be the one that cannot be read.
    private func lost(_ house: House, _ job: UInt64) throws {
        try house.run("lost") { (try? house.state(job)) == .lost }
    }

    /// Two jobs wait behind one that has the only runner; then `sql` damages the first of them.
    private func expectOnlyTheDamagedIsLost(_ sql: (UInt64) -> String) throws {
        let house = try House(maxRunners: 1)
        let (first, attempt) = try house.told("holds the slot")
        let bad = try house.submit("bad", image: "elsewhere")
        let good = try house.submit("good")
        try damage(house, sql(bad))
        house.relay.finish(attempt, .succeeded)
        try lost(house, bad)
        #expect(try house.job(bad).reason.contains("cannot be read"))
        #expect(try house.state(first) == .succeeded)
        try house.run("good told") { house.relay.jobs.keys.contains { $0.job == good } }
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(good, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func aSpecThatCannotBeRead() throws {
        try expectOnlyTheDamagedIsLost { "UPDATE jobs SET spec = x'00' WHERE id = \($0)" }
    }

    @Test func aShapeThatCannotBeRead() throws {
        try expectOnlyTheDamagedIsLost {
            "UPDATE shapes SET bytes = x'00' WHERE id = (SELECT shape FROM jobs WHERE id = \($0))"
        }
    }

    @Test func aSourceThatCannotBeRead() throws {
        try expectOnlyTheDamagedIsLost { "UPDATE jobs SET source_sha = x'0102' WHERE id = \($0)" }
    }

    /// A line that is missing, a head that is another's, a turn or a count that nobody wrote: nobody waits for ever.
    @Test(arguments: [
        "DELETE FROM queues", "UPDATE queues SET head = 99", "UPDATE ranks SET turn = 1 << 60", "DELETE FROM ranks",
        "UPDATE ranks SET waiting = 0", "UPDATE ranks SET priority = 0",
        "UPDATE queues SET waiting = waiting + 5", "DELETE FROM tally", "UPDATE tally SET jobs = 7",
        "DELETE FROM shares", "UPDATE queues SET shape = 77",
    ])
    func theQueueIsMadeAnewAtAStart(_ sql: String) throws {
        let house = try House(maxRunners: 1)
        let (_, attempt) = try house.told("holds the slot")
        let waits = try house.submit("waits", project: "other")
        try damage(house, sql)
        try house.restart()
        house.relay.finish(attempt, .succeeded)
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == waits } }
        #expect(try house.witness.see { try $0.queuedCount() } == 0)
        try house.store.write { rows throws in #expect(try !rows.mendLines(), "what is good stays as it is") }
    }

    /// A shape that nobody uses any more, and of which runners would be made in advance.
    @Test func aPoolThatCannotBeReadIsForgotten() throws {
        let house = try House(maxRunners: 4) { $0.maxIdleRunners = 1 }
        let (job, attempt) = try house.told("first")
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.run("one idle") { try house.runners().contains { $0.state == .idle } }
        try damage(house, "UPDATE shapes SET bytes = x'00'")
        try house.restart()
        let next = try house.submit("next", image: "debian")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == next } }
    }

    /// Those that wait for it are looked at, as at every end.
    @Test func whoNeedsADamagedJobDoesNotWaitForEver() throws {
        let house = try House(maxRunners: 1)
        let (_, attempt) = try house.told("holds the slot")
        let bad = try house.submit("bad") { $0.schedule.group = Group(name: "deploy", cancelInProgress: false) }
        let needs = try house.submit("needs") { $0.schedule.needs = [bad] }
        let next = try house.submit("next") { $0.schedule.group = Group(name: "deploy", cancelInProgress: false) }
        try damage(house, "UPDATE jobs SET spec = x'00' WHERE id = \(bad)")
        house.relay.finish(attempt, .succeeded)
        try lost(house, bad)
        #expect(try house.state(needs) == .cancelled)
        try house.run("next told") { house.relay.jobs.keys.contains { $0.job == next } }
    }

    @Test func anAttemptThatCannotBeRead() throws {
        let house = try House()
        let (bad, badAttempt) = try house.running("bad")
        let (good, goodAttempt) = try house.running("good")
        try damage(house, "UPDATE attempts SET runner = x'0102' WHERE job = \(bad)")
        #expect(throws: StoreError.self) { try house.witness.see { try $0.attempt(badAttempt) } }
        house.relay.finish(badAttempt, .succeeded)
        house.relay.finish(goodAttempt, .succeeded)
        try lost(house, bad)
        try house.run(good, to: .succeeded)
        try house.expectEmpty()
        try house.run("settled") { try house.witness.see { try $0.unsettledAttempts().isEmpty } }
        #expect(house.relay.jobs.isEmpty)
    }

    @Test func atAStartTheOthersAreTakenUp() throws {
        let house = try House { $0.cancelMargin = .milliseconds(10) }
        let (bad, _) = try house.running("bad")
        let (good, _) = try house.running("good")
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: good, graceSeconds: 0))
        try damage(house, "UPDATE jobs SET result = x'00' WHERE id = \(bad)")
        try house.restart()
        try lost(house, bad)
        try house.run(good, to: .cancelled)
        try house.expectEmpty()
    }

    @Test func theListOfJobsSurvivesAResultThatCannotBeRead() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try damage(house, "UPDATE jobs SET result = x'00' WHERE id = \(job)")
        #expect(throws: StoreError.self) { try house.job(job) }
        let list = try house.call(SchedulerEdge.ListJobs(token: Samples.token, before: 0, limit: 10, state: nil))
        #expect(list.jobs.map(\.state) == [.succeeded], "its end stands")
    }

    @Test func aRequestThatMeetsOneFailsAlone() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try damage(house, "UPDATE jobs SET spec = x'00' WHERE id = \(job)")
        #expect(try house.failure(SchedulerEdge.GetJob(token: Samples.token, job: job)) == .internal)
        #expect(try house.state(job) == .succeeded && house.job(job).result != nil)
        _ = try house.told("another")
    }

    /// The control: an error of the database itself still undoes everything.
    @Test func onlyTheDatabasesOwnErrorsEndATransaction() {
        #expect(StoreError.corrupt("").endsTransaction && StoreError.full.endsTransaction)
        #expect(!StoreError.damagedRow(DamagedRow(.job(1), "")).endsTransaction)
    }
}
