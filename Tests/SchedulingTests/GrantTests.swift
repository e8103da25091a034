// What brokerd lays out for a runner, and when: everything in its order, and each step committed before it is taken.
// The fakes refuse what comes too early.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct GrantTests {
    @Test func aJobWithSecretsRunsAndNothingIsLeft() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        let grant = try #require(house.broker.granted.first)
        #expect(grant.attempt == attempt && !grant.taken && grant.ticket.secrets == ["npm"])
        let definition = try #require(house.relay.jobs[attempt]?.definition)
        #expect(definition == Samples.definition(secrets: ["npm"]))
        house.relay.take(attempt)
        try house.run("wiped") { house.broker.wiped.count { $0 == grant.grant } == 2 }
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(house.broker.discarded == [grant.grant])
        let order = house.broker.calls.filter { ["prepare", "wipe", "grant", "discard"].contains($0) }
        #expect(order == ["prepare", "wipe", "grant", "wipe", "discard"])
    }

    @Test func aJobWithoutSecretsAsksForNoGrant() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(house.broker.count("prepare") == 1 && house.broker.count("wipe") == 1)
        #expect(house.broker.count("grant") == 0)
    }

    /// Its token is made anew for each attempt, so it needs a grant and no entry in a ticket.
    @Test func theJobsOwnTokenNeedsAGrantAndNoOrder() throws {
        let house = try House()
        let definition = Samples.definition(secrets: ["bulkhead-job-token"])
        _ = try house.call(Samples.submission("r", definition))
        try house.run("told") { !house.relay.jobs.isEmpty }
        #expect(house.broker.vouched.first?.secrets == [] && house.broker.granted.count == 1)
    }

    @Test func noContainerBeforeItsGrant() throws {
        let house = try House()
        house.broker.slow = ["prepare"]
        let job = try house.submit()
        try house.run("asked") { house.broker.count("prepare") == 1 }
        house.settle()
        #expect(try house.spawner.created.isEmpty && house.state(job) == .assigned)
        house.broker.release()
        try house.run("told") { !house.relay.jobs.isEmpty }
    }

    @Test func noJobBeforeTheKeyIsWiped() throws {
        let house = try House()
        house.broker.slow = ["wipe"]
        _ = try house.submit()
        try house.run("asked") { house.broker.count("wipe") == 1 }
        house.settle()
        #expect(try house.runners().map(\.state) == [.provisioning] && house.relay.told.isEmpty)
        // Told again, as after a reconnection of relayd: asked once.
        house.relay.takeStream(house.spawner.created[0])
        house.settle()
        #expect(house.broker.count("wipe") == 1)
        house.broker.release()
        try house.run("told") { !house.relay.jobs.isEmpty }
    }

    @Test func noRunJobBeforeTheGrant() throws {
        let house = try House()
        house.broker.slow = ["grant"]
        let job = try house.submit(secrets: ["npm"])
        try house.run("asked") { house.broker.count("grant") == 1 }
        house.settle()
        #expect(try house.relay.told.isEmpty && house.state(job) == .assigned)
        #expect(try house.witness.see { try $0.openAttempt(ofJob: job)?.told } == false)
        house.broker.release()
        try house.run("told") { !house.relay.jobs.isEmpty }
    }

    @Test func aGrantIsTakenTwiceAndWipedTwice() throws {
        let house = try House()
        let (job, attempt) = try house.told(secrets: ["npm"])
        house.relay.take(attempt)
        try house.run("wiped") { house.broker.count("wipe") == 2 }
        #expect(try house.witness.see { try $0.attempt(attempt)?.taken } == true)
        house.settle()
        house.relay.take(attempt)
        try house.run("wiped again") { house.broker.count("wipe") == 3 }
        var stranger = attempt
        stranger.epoch += 1
        house.relay.take(stranger)
        house.settle()
        #expect(house.broker.count("wipe") == 3, "of an attempt that is not open nothing is believed")
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func aWipeThatFailsIsAskedForAgain() throws {
        let house = try House()
        house.broker.refusals["wipe"] = Failure(.internal, "the directory cannot be read")
        let job = try house.submit()
        try house.run("tried") { house.broker.count("wipe") >= 3 }
        #expect(try house.state(job) == .assigned && house.relay.told.isEmpty)
        house.broker.refusals = [:]
        try house.run("told") { !house.relay.jobs.isEmpty }
        #expect(house.spawner.created.count == 1)
    }

    /// The pool is shape and trust: what an untrusted job may have been near is nothing for a trusted one.
    @Test func poolsAreKeptApart() throws {
        let house = try House(maxRunners: 3)
        let warm = try house.call(SchedulerEdge.CreateRunner(token: Samples.token, shape: Samples.shape())).runner
        try house.run("idle") { try house.runners().first?.state == .idle }
        let trusted = try house.submit("trusted", secrets: ["npm"])
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == trusted } }
        #expect(try house.runners().first { $0.id == warm }?.state == .idle)
        #expect(house.spawner.trusts == [.untrusted, .trusted])
        let plain = try house.submit("plain")
        try house.run("plain told") { house.relay.jobs.keys.contains { $0.job == plain } }
        #expect(house.relay.jobs.values.first { $0.attempt.job == plain }?.runner == warm)
        #expect(house.spawner.created.count == 2)
    }

    @Test func cancelledWhileItsGrantIsMade() throws {
        let house = try House()
        house.broker.slow = ["grant"]
        let job = try house.submit(secrets: ["npm"])
        try house.run("asked") { house.broker.count("grant") == 1 }
        let cancel = SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: 10)
        #expect(try house.call(cancel).state == .cancelled)
        house.broker.release()
        try house.expectEmpty()
        #expect(house.relay.told.isEmpty, "no runner heard of it")
        #expect(try house.state(job) == .cancelled)
    }

    @Test func cancelledWhileItsRunnerIsPrepared() throws {
        let house = try House()
        house.broker.slow = ["prepare"]
        let job = try house.submit()
        try house.run("asked") { house.broker.count("prepare") == 1 }
        let cancel = SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: 10)
        #expect(try house.call(cancel).state == .cancelled)
        house.broker.release()
        try house.expectEmpty()
        #expect(house.spawner.created.isEmpty)
    }

    @Test func aDeletedRunnersGrantIsDiscarded() throws {
        let house = try House()
        let runner = try house.call(SchedulerEdge.CreateRunner(token: Samples.token, shape: Samples.shape())).runner
        try house.run("idle") { try house.runners().first?.state == .idle }
        _ = try house.call(SchedulerEdge.DeleteRunner(token: Samples.token, runner: runner))
        try house.expectEmpty()
        #expect(house.broker.discarded.count == 1)
    }

    @Test func aDiscardThatFailsIsAskedForAgain() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.broker.refusals["discard"] = Failure(.internal, "busy")
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.run("tried") { house.broker.count("discard") >= 2 }
        house.broker.refusals = [:]
        try house.expectEmpty()
    }
}
