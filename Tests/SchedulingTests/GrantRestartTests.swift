// kill -9 of schedulerd at each point of a grant's life: the database is all that is left, nothing is granted twice,
// and no directory stays behind.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct GrantRestartTests {
    /// Runs the job to its end and looks for what is left.
    private func expectToFinish(_ house: House, _ job: UInt64, attempt number: UInt32 = 1) throws {
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        let attempt = try house.relay.attempt()
        #expect(attempt.attempt == number)
        house.relay.take(attempt)
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(Set(house.broker.granted.map(\.attempt)).count == 1)
        #expect(Set(house.broker.granted.map(\.ticket)).count == 1)
    }

    @Test(arguments: ["prepare", "wipe", "grant"])
    func theAnswerNeverCame(_ call: String) throws {
        let house = try House()
        house.broker.slow = [call]
        let job = try house.submit(secrets: ["npm"])
        try house.run("asked") { house.broker.count(call) == 1 }
        try house.restart()
        try expectToFinish(house, job)
        #expect(Set(house.spawner.created).count == 1, "one container, of one name")
    }

    @Test func queuedWithItsTicket() throws {
        let house = try House()
        house.settle()
        house.spawner.down()
        let job = try house.submit(secrets: ["npm"])
        let ticket = try house.witness.see { try $0.ticket(ofJob: job) }
        try house.restart()
        try expectToFinish(house, job)
        #expect(house.broker.granted.first?.ticket == ticket)
    }

    @Test func preparedAndSpawnerdNeverHeardOfIt() throws {
        let house = try House()
        house.settle()
        house.broker.slow = ["prepare"]
        let job = try house.submit(secrets: ["npm"])
        try house.run("asked") { house.broker.count("prepare") == 1 }
        house.spawner.down()
        house.broker.release()
        try house.run("written") { try house.runners().first?.grant != nil }
        #expect(house.spawner.created.isEmpty)
        let grant = try #require(try house.runners().first?.grant)
        try house.restart()
        try expectToFinish(house, job)
        #expect(house.broker.granted.first?.grant == grant, "the same directory")
        #expect(house.broker.count("prepare") == 1)
    }

    @Test func toldAndNotTaken() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        try house.restart()
        try house.run("granted and told again") { house.broker.count("grant") == 2 && house.relay.told[attempt] == 2 }
        #expect(house.broker.granted.map(\.taken) == [false, false])
        try expectToFinish(house, job)
    }

    @Test func takenAndNotWiped() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.broker.slow = ["wipe"]
        house.relay.take(attempt)
        try house.run("written") { try house.witness.see { try $0.attempt(attempt)?.taken } == true }
        let wiped = house.broker.wiped.count
        try house.restart()
        try house.run("wiped") { house.broker.wiped.count > wiped }
        try house.run("granted again") { house.broker.granted.count == 2 }
        #expect(house.broker.granted.last?.taken == true)
        try expectToFinish(house, job)
    }

    /// relayd told that it was taken while nobody listened, and says it again.
    @Test func takenWhileNobodyListened() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.relay.down(losingStreams: false)
        house.relay.take(attempt)
        try house.restart()
        try house.run("wiped") { house.broker.directories.values.allSatisfy { !$0.holdsGrant } }
        try house.run("written") { try house.witness.see { try $0.attempt(attempt)?.taken } == true }
        try expectToFinish(house, job)
    }

    @Test func runningAndEverybodyRestarts() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.relay.take(attempt)
        house.relay.begin(attempt)
        try house.run(job, to: .running)
        house.relay.down(losingStreams: true)
        house.spawner.down()
        house.broker.restart()
        try house.restart()
        try expectToFinish(house, job)
    }

    @Test func torndownAndNotDiscarded() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.broker.down()
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.run("no rows") { try house.runners().isEmpty }
        #expect(house.broker.directories.count == 1)
        try house.restart()
        try house.expectEmpty()
    }

    @Test func waitingForTheAuditLog() throws {
        let house = try House()
        house.broker.refusals["grant"] = Failure(.auditFailed, "")
        let job = try house.submit(secrets: ["npm"])
        try house.run("refused") { try !house.job(job).reason.isEmpty }
        house.broker.refusals = [:]
        try house.restart()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        let attempt = try house.relay.attempt()
        #expect(attempt.attempt > 1)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }
}
