// kill -9 of schedulerd in each state of a job: the database is all that is left, and nothing is lost or run twice.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct RestartTests {
    @Test func queued() throws {
        let house = try House()
        house.settle()
        house.spawner.down()
        let job = try house.submit()
        try house.restart()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(try house.relay.attempt().epoch == 2)
        #expect(house.spawner.epochs == [2])
    }

    @Test func assignedBeforeSpawnerdHeardOfIt() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        house.spawner.containers = [:]
        house.spawner.saysHello = true
        try house.restart()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(Set(house.spawner.created).count == 1, "the same name again: one container")
        #expect(try house.relay.attempt().epoch == 1, "the attempt of the first life goes on")
    }

    @Test func assignedWhileTheRunnerSaysHello() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        house.relay.takeStream(house.spawner.created[0])
        try house.restart()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(house.spawner.containers.count == 1)
    }

    @Test func assignedAndTold() throws {
        let house = try House()
        let (job, attempt) = try house.told()
        try house.restart()
        try house.run("told again") { house.relay.told[attempt] == 2 }
        #expect(house.spawner.count("attach") == 0, "relayd holds the stream still")
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func running() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        try house.restart()
        house.settle()
        #expect(try house.state(job) == .running)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func finishedWhileNobodyListened() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.isReady = false
        house.relay.down(losingStreams: false)
        house.relay.finish(attempt, .failed, reason: "it broke")
        try house.restart()
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason == "it broke")
        try house.expectEmpty()
    }

    @Test func finishedAndNotSettled() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .succeeded)
        // Stop right after the commit: the effects of this pass never happen.
        house.relay.isReady = false
        house.spawner.isReady = false
        try house.run(job, to: .succeeded)
        #expect(house.relay.settled.isEmpty && house.spawner.containers.count == 1)
        try house.restart()
        try house.run("settled") { house.relay.settled.contains(attempt) }
        try house.expectEmpty()
        try house.run("confirmed") { try house.witness.see { try $0.unsettledAttempts().isEmpty } }
        #expect(house.relay.told[attempt] == 1)
    }

    @Test func everythingRestartsAtOnce() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.down(losingStreams: true)
        house.spawner.down()
        try house.restart()
        try house.run("told again") { house.relay.told[attempt] == 2 }
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func theEpochGrowsAndTheInstanceStays() throws {
        let house = try House()
        #expect(house.scheduler.epoch == 1)
        try house.restart()
        #expect(house.scheduler.epoch == 2)
        #expect(try house.witness.see { try $0.instance() } == "test")
    }

    /// Found by the simulation: an attach that came before the container was there, and the job of that runner, which
    /// had ended, was tried again.
    @Test func anOldWordThatItIsGoneEndsNothing() throws {
        let house = try House { $0.drain = .milliseconds(150) }
        house.spawner.saysHello = false
        let job = try house.submit()
        try house.run("created") { house.spawner.created.count == 1 }
        let runner = try #require(house.spawner.created.first)
        house.settle()
        house.spawner.containers[runner] = nil
        house.relay.down(losingStreams: true)
        house.relay.up()
        try house.run("not found") { house.spawner.count("attach") > 0 }
        house.settle()
        house.spawner.containers[runner] = .running
        house.relay.takeStream(runner)
        try house.run("told") { !house.relay.jobs.isEmpty }
        house.relay.begin(try house.relay.attempt())
        try house.run(job, to: .running)
        let begin = Posix.monotonicNow()
        try house.run("the time of the old word passes") { Posix.monotonicNow() - begin > 300_000_000 }
        #expect(try house.state(job) == .running && house.runners().first?.id == runner)
    }

    /// A job with no retries, and a container that was taken away before its runner had heard of the job.
    @Test func whoWasNeverToldIsNotLost() throws {
        let house = try House { $0.drain = .milliseconds(5) }
        house.spawner.saysHello = false
        let job = try house.submit { $0.schedule.retries = 0 }
        try house.run("created") { house.spawner.created.count == 1 }
        let runner = try #require(house.spawner.created.first)
        house.settle()
        house.spawner.containers[runner] = nil
        house.relay.down(losingStreams: true)
        house.relay.up()
        house.spawner.saysHello = true
        try house.run("another runner") { house.spawner.created.count == 2 && !house.relay.jobs.isEmpty }
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(job, to: .succeeded)
    }

    /// An engine that finishes what a dead spawnerd had asked for, long after everybody has given it up.
    @Test func aContainerThatComesLateIsRemovedWhileNothingRestarts() throws {
        let house = try House { $0.compareAgain = .milliseconds(5) }
        let (_, attempt) = try house.told()
        let late = Bytes16.random()
        house.spawner.containers[late] = .created
        try house.run("removed") { house.spawner.containers[late] == nil }
        #expect(house.spawner.containers.count == 1, "the runner that has its job stays")
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run(attempt.job, to: .succeeded)
        try house.expectEmpty()
    }
}
