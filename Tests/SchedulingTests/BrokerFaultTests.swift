// brokerd is away, slow, says no, or starts anew: requests are told so, what runs runs on, and the queue waits with a
// reason.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct BrokerFaultTests {
    @Test func whileBrokerdIsAwayNobodyIsKnownAndWhatRunsRunsOn() throws {
        let house = try House()
        let (job, attempt) = try house.running(secrets: ["npm"])
        let waiting = try house.witness.see { try $0.queuedCount() }
        house.broker.down()
        #expect(try house.failure(SchedulerEdge.GetStatus(token: Samples.token)) == .disconnected)
        #expect(try house.failure(Samples.submission("r")) == .disconnected)
        #expect(try house.failure(SchedulerEdge.SendOrder(token: Samples.token, order: Samples.order)) == .disconnected)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.run("no container") { house.spawner.containers.isEmpty }
        #expect(waiting == 0 && house.broker.directories.count == 1, "nobody could discard it")
        house.broker.up()
        try house.expectEmpty()
        let status = try house.call(SchedulerEdge.GetStatus(token: Samples.token))
        #expect(status.daemons.first { $0.role == .brokerd }?.connected == true)
    }

    @Test func theQueueWaitsForBrokerd() throws {
        let house = try House(maxRunners: 1)
        let (first, attempt) = try house.running("first")
        let second = try house.submit("second")
        house.broker.down()
        house.relay.finish(attempt, .succeeded)
        try house.run(first, to: .succeeded)
        try house.run("no container") { house.spawner.containers.isEmpty }
        house.settle()
        #expect(try house.state(second) == .queued && house.spawner.created.count == 1)
        house.broker.up()
        try house.run("second told") { house.relay.jobs.keys.contains { $0.job == second } }
    }

    /// Until it knows which grants live, brokerd is not asked for new ones, and the view says why nothing happens.
    @Test func theReasonIsShown() throws {
        let house = try House()
        house.broker.refusals["reconcile"] = Failure(.internal, "the directory cannot be read")
        house.broker.restart()
        let job = try house.submit(secrets: ["npm"])
        house.settle()
        let view = try house.call(SchedulerEdge.GetJob(token: Samples.token, job: job))
        #expect(view.summary.state == .queued && view.summary.reason.hasPrefix("waits: brokerd is away"))
        house.broker.refusals = [:]
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
    }

    @Test func aSlowBrokerdHoldsUpNobodyElse() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.broker.slow = ["verify"]
        var isAnswered = false
        house.send(SchedulerEdge.GetStatus(token: Samples.token)) { _ in isAnswered = true }
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(!isAnswered)
        house.broker.release()
        try house.run("answered") { isAnswered }
    }

    // MARK: nothing is released

    @Test(arguments: [ErrorCode.auditFailed, .storageFull, .internal, .deadlineExceeded])
    func laterMeansWaiting(_ code: ErrorCode) throws {
        let house = try House(maxRunners: 2) { $0.retryShortest = .milliseconds(20) }
        house.broker.refusals["grant"] = Failure(code, "not now")
        let job = try house.submit("secret", secrets: ["npm"])
        try house.run("refused") { try !house.job(job).reason.isEmpty }
        #expect(try house.state(job) == .queued && house.job(job).reason.hasPrefix("waits: "))
        let tries = house.broker.count("grant")
        // Others overtake it meanwhile.
        let (plain, attempt) = try house.running("plain")
        house.relay.finish(attempt, .succeeded)
        try house.run(plain, to: .succeeded)
        try house.run("tried again") { house.broker.count("grant") > tries }
        #expect(house.relay.told.keys.allSatisfy { $0.job == plain }, "no runner heard of it")
        house.broker.refusals = [:]
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(try house.relay.attempt().attempt > 1)
        #expect(try house.job(job).reason == "")
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// A hundred passes of the loop are no hundred tries.
    @Test func waitingIsNoBusyLoop() throws {
        let house = try House { $0.retryShortest = .seconds(60) }
        house.broker.refusals["grant"] = Failure(.auditFailed, "")
        let job = try house.submit("secret", secrets: ["npm"])
        let other = try house.submit("secret too", secrets: ["npm"])
        try house.run("refused") { try house.state(job) == .queued && !house.job(job).reason.isEmpty }
        for _ in 0..<100 { house.settle() }
        #expect(house.broker.count("grant") <= 2 && house.spawner.created.count <= 2)
        #expect(
            try house.job(job).reason
                == "waits: the audit log cannot be written, and nothing is released without a record")
        let view = try house.call(SchedulerEdge.GetJob(token: Samples.token, job: other)).summary
        #expect(view.state == .queued && view.reason.contains("audit log"))
        let status = try house.call(SchedulerEdge.GetStatus(token: Samples.token))
        #expect(status.daemons.first { $0.role == .brokerd }?.detail.contains("audit_failed") == true)
    }

    @Test(arguments: [
        (ErrorCode.notFound, "a secret that it names is not there"), (.ticketRefused, "not good any more"),
        (.conflict, "not released"), (.invalid, "not released"),
    ])
    func fixAndNeverFailTheJob(_ code: ErrorCode, _ says: String) throws {
        let house = try House()
        house.broker.refusals["grant"] = Failure(code, "because")
        let job = try house.submit(secrets: ["npm"])
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason.contains(says))
        try house.expectEmpty()
        #expect(house.relay.told.isEmpty && house.relay.settled.isEmpty)
        #expect(house.broker.count("grant") == 1)
    }

    @Test func aRunnerWhoseGrantIsGoneIsReplaced() throws {
        let house = try House()
        house.broker.slow = ["grant"]
        let job = try house.submit(secrets: ["npm"])
        try house.run("asked") { house.broker.count("grant") == 1 }
        house.broker.down()
        house.broker.loseDirectories()
        house.broker.slow = []
        house.broker.up()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(try house.spawner.created.count == 2 && house.relay.attempt().attempt == 2)
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func aGrantThatIsGoneBeforeTheKeyIsWiped() throws {
        let house = try House()
        house.broker.slow = ["wipe"]
        let job = try house.submit()
        try house.run("asked") { house.broker.count("wipe") == 1 }
        house.broker.down()
        house.broker.loseDirectories()
        house.broker.slow = []
        house.broker.up()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(house.spawner.created.count == 2)
    }

    @Test func noPlaceForGrants() throws {
        let house = try House { $0.retryShortest = .milliseconds(20) }
        house.broker.refusals["prepare"] = Failure(.storageFull, "no inodes")
        let job = try house.submit()
        try house.run("refused") { try !house.job(job).reason.isEmpty }
        #expect(try house.state(job) == .queued && house.job(job).reason.contains("no inodes"))
        #expect(house.spawner.created.isEmpty)
        house.broker.refusals = [:]
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
    }

    // MARK: links that break

    @Test func theLinkBreaksBetweenGrantAndRunJob() throws {
        let house = try House()
        house.broker.afterAnswer["grant"] = { house.broker.down() }
        let (job, attempt) = try house.told(secrets: ["npm"])
        #expect(!house.broker.isReady)
        house.broker.up()
        try house.run("granted again") { house.broker.count("grant") == 2 }
        #expect(house.broker.granted.map(\.taken) == [false, false])
        #expect(Set(house.broker.granted.map(\.attempt)) == [attempt])
        house.relay.take(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(house.relay.told[attempt] == 1)
    }

    @Test func theAnswerToAGrantIsLost() throws {
        let house = try House()
        house.broker.slow = ["grant"]
        let job = try house.submit(secrets: ["npm"])
        try house.run("asked") { house.broker.count("grant") == 1 }
        house.broker.down()
        house.settle()
        #expect(try house.state(job) == .assigned && house.relay.told.isEmpty)
        house.broker.slow = []
        house.broker.up()
        try house.run("told") { !house.relay.jobs.isEmpty }
        #expect(try house.relay.attempt().attempt == 1)
    }

    @Test func relaydIsAwayWhenTheGrantIsMade() throws {
        let house = try House()
        house.broker.afterAnswer["grant"] = { house.relay.down(losingStreams: false) }
        let job = try house.submit(secrets: ["npm"])
        try house.run("granted") { house.broker.count("grant") == 1 && !house.relay.isReady }
        house.settle()
        #expect(house.relay.told.isEmpty)
        house.relay.up()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(house.broker.count("grant") == 1)
    }

    /// It has forgotten masks and token, and has wiped every file.
    @Test func brokerdStartsAnewUnderARunningJob() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.relay.take(attempt)
        house.relay.begin(attempt)
        try house.run(job, to: .running)
        house.broker.restart()
        try house.run("granted again") { house.broker.count("grant") == 2 }
        #expect(house.broker.granted.map(\.taken) == [false, true])
        #expect(house.broker.directories.values.first?.holdsGrant == false, "nothing is written twice")
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func aRunningJobOutlivesItsGrant() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.relay.take(attempt)
        house.relay.begin(attempt)
        try house.run(job, to: .running)
        house.broker.loseDirectories()
        house.broker.restart()
        try house.run("refused") { house.broker.count("grant") == 2 }
        house.settle()
        #expect(try house.state(job) == .running)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// A rotation, and then relayd starts anew and has no masks: the log would stand still until the job's timeout.
    @Test(arguments: [ErrorCode.ticketRefused, .conflict]) func aRunningJobThatBrokerdDisowns(_ code: ErrorCode) throws
    {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.relay.take(attempt)
        house.relay.begin(attempt)
        try house.run(job, to: .running)
        house.broker.refusals["grant"] = Failure(code, "not ours")
        house.settle()
        #expect(try house.state(job) == .running, "nobody has asked yet")
        house.relay.down(losingStreams: true)
        house.relay.up()
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason.contains("does not stand by its secrets"))
        try house.expectEmpty()
    }

    /// It may have begun: it is not run twice.
    @Test func aToldJobWhoseGrantIsGoneIsLost() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.broker.loseDirectories()
        house.broker.restart()
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason.contains("its grant was lost"))
        try house.expectEmpty()
        #expect(house.relay.settled == [attempt])
    }

    @Test func aGrantThatIsToBeRenewedLaterIs() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.broker.refusals["grant"] = Failure(.auditFailed, "")
        house.broker.restart()
        try house.run("tried") { house.broker.count("grant") >= 3 }
        #expect(try house.state(job) == .assigned)
        house.broker.refusals = [:]
        try house.run("renewed") { house.broker.granted.count == 2 }
        house.relay.take(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// brokerd starts anew while a runner does: that finds no key and exits. Its job had not begun.
    @Test func aRunnerWithoutItsKeyIsReplaced() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        try house.run("created") { house.spawner.created.count == 1 }
        house.settle()
        house.broker.restart()
        house.settle()
        house.spawner.saysHello = true
        house.spawner.exit(house.spawner.created[0], code: 1)
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(try house.spawner.created.count == 2 && house.relay.attempt().attempt == 2)
    }

    /// The master key is rotated while a runner starts; schedulerd sees an order that it cannot read.
    @Test func aRotationReplacesRunnersThatStart() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        try house.run("created") { house.spawner.created.count == 1 }
        _ = try house.call(SchedulerEdge.SendOrder(token: Samples.token, order: Samples.order))
        house.broker.loseDirectories()
        house.settle()
        house.spawner.saysHello = true
        house.spawner.exit(house.spawner.created[0], code: 1)
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(house.spawner.created.count == 2)
    }

    /// The control: a runner that has read its key, and ends, takes its job with it.
    @Test func aRunnerWithItsKeyIsNot() throws {
        let house = try House()
        house.broker.slow = ["wipe"]
        let job = try house.submit()
        try house.run("hello") { house.broker.count("wipe") == 1 }
        house.broker.slow = []
        house.broker.down()
        house.spawner.exit(house.spawner.created[0], code: 1)
        try house.run(job, to: .lost)
    }
}
