// What goes wrong outside: the engine, images, containers, relayd, spawnerd.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct FaultTests {
    @Test func aMissingImageFailsTheJobAndSaysWhatToDo() throws {
        let house = try House()
        house.spawner.refusal = { _ in Failure(.imageMissing, "No such image") }
        let job = try house.submit(image: "nowhere")
        try house.run(job, to: .failed)
        let reason = "image 'nowhere' is not on this engine; import or pull it"
        #expect(try house.job(job).reason == reason)
        try house.expectEmpty()
        #expect(house.relay.told.isEmpty)
    }

    @Test(arguments: [ErrorCode.imageRefused, .deniedByPolicy, .usernsMissing])
    func whatCanNeverRunFails(_ code: ErrorCode) throws {
        let house = try House()
        house.spawner.refusal = { _ in Failure(code, "because") }
        let job = try house.submit()
        try house.run(job, to: .failed)
        #expect(try !house.job(job).reason.isEmpty)
        try house.expectEmpty()
    }

    @Test func aJobWaitsForTheEngineAndKeepsItsPlace() throws {
        let house = try House(maxRunners: 1)
        house.spawner.refusal = { _ in Failure(.engineUnavailable, "connection refused") }
        house.spawner.removalFailure = Failure(.engineUnavailable, "connection refused")
        let first = try house.submit("first")
        let second = try house.submit("second")
        try house.run("tried") { house.spawner.count("remove") >= 3 }
        #expect(try house.state(first) == .queued)
        #expect(try house.job(first).reason.contains("does not answer"))
        house.spawner.refusal = { _ in nil }
        house.spawner.removalFailure = nil
        try house.run("first told") { house.relay.jobs.count == 1 }
        let attempt = try house.relay.attempt()
        #expect(attempt.job == first && attempt.attempt > 1)
        #expect(try house.job(first).reason == "")
        #expect(try house.state(second) == .queued)
    }

    @Test func theMemoryLimitIsNamed() throws {
        let house = try House()
        let (job, _) = try house.running()
        let runner = try #require(try house.runners().first).id
        house.spawner.exit(runner, outOfMemory: true)
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason.contains("memory limit of 64MiB"))
        try house.expectEmpty()
        #expect(house.relay.settled.count == 1)
    }

    @Test func aVanishedContainerLosesItsJob() throws {
        let house = try House()
        let (job, _) = try house.running()
        house.spawner.exit(try #require(try house.runners().first).id, code: 137)
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason.contains("exit code 137"))
        try house.expectEmpty()
    }

    /// The container's end overtakes relayd's report.
    @Test func anEndThatRelaydStillReportsCounts() throws {
        let house = try House { $0.drain = .seconds(60) }
        let (job, attempt) = try house.running()
        house.spawner.exit(try #require(try house.runners().first).id, code: 0)
        house.settle()
        #expect(try house.state(job) == .running)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// relayd sees the end of the stream before spawnerd sees the end of the container.
    @Test func aLostStreamOfADeadContainerWaitsForTheReason() throws {
        let house = try House { $0.drain = .seconds(60) }
        let (job, _) = try house.running()
        let runner = try #require(try house.runners().first).id
        house.spawner.containers[runner] = .exited
        house.relay.lose(runner, .runnerGone)
        try house.run("attach tried") { house.spawner.count("attach") == 1 }
        house.settle()
        #expect(try house.state(job) == .running)
        house.spawner.exit(runner, outOfMemory: true)
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason.contains("memory limit"))
    }

    @Test func aLostStreamOfALiveContainerIsAttachedAnew() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        let runner = try #require(try house.runners().first).id
        house.relay.lose(runner, .runnerGone)
        try house.run("told again") { house.relay.told[attempt] == 2 }
        #expect(house.relay.streams.contains(runner))
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
    }

    @Test func aRunnerThatBreaksTheProtocolLosesItsJob() throws {
        let house = try House()
        let (job, _) = try house.running()
        house.relay.lose(try #require(try house.runners().first).id, .runnerViolation, "frame too large")
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason.contains("broke the protocol"))
        try house.expectEmpty()
    }

    /// A relayd that was taken over: rows of steps are for steps, and what it says is for people to read.
    @Test func relaydNamesStepsThatAreNotThere() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        let steps = try house.witness.see { try $0.spec(ofJob: job).steps.count }
        for index in [UInt16(steps), 65535] {
            house.relay.tell(attempt, .stepStarted(.init(attempt: attempt, index: index)))
            let result = StepResult(index: index, outcome: .failed, exitCode: 1, durationMs: 5)
            house.relay.tell(attempt, .stepFinished(.init(attempt: attempt, result: result)))
        }
        house.relay.finish(attempt, .failed, reason: "a\u{2028}b\u{202E}c\u{1B}[2J")
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason == "a b c [2J")
        #expect(try house.witness.see { try $0.steps(ofJob: job).map(\.index) } == [0])
    }

    @Test func relaydRestartsInTheMiddleOfAJob() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.down(losingStreams: true)
        house.settle()
        house.relay.up()
        try house.run("attached and told again") { house.relay.told[attempt] == 2 }
        #expect(house.spawner.count("attach") == 1)
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// Found by chaos: its streams are gone, and nobody was there to make new ones when that was noticed.
    @Test func relaydRestartsWhileSpawnerdIsAway() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.spawner.down()
        house.relay.down(losingStreams: true)
        house.settle()
        house.relay.up()
        let moment = Posix.monotonicNow() + 30_000_000
        try house.run("longer than relayd has to name whom it holds") { Posix.monotonicNow() > moment }
        #expect(house.spawner.count("attach") == 0)
        house.spawner.up()
        try house.run("attached and told again") { house.relay.told[attempt] == 2 }
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// Found by the simulation: nothing could be written while relayd restarted; what the old one had said was taken
    /// for a word of the new one.
    @Test func aWordOfTheOldRelaydAttachesNobody() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        let runner = try #require(try house.runners().first).id
        house.store.beforeCommit = { throw StoreError.full }
        house.relay.takeStream(runner)
        house.settle()
        house.relay.down(losingStreams: true)
        house.settle()
        house.relay.up()
        house.settle()
        house.store.beforeCommit = nil
        try house.run("attached") { house.spawner.count("attach") == 1 }
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    @Test func aBrokenLinkToRelaydLosesNoEventAndTouchesNoStream() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.relay.down(losingStreams: false)
        house.relay.finish(attempt, .succeeded)
        house.settle()
        #expect(try house.state(job) == .running)
        house.relay.up()
        try house.run(job, to: .succeeded)
        #expect(house.spawner.count("attach") == 0)
        try house.expectEmpty()
    }

    @Test func spawnerdIsAwayWhileAJobRuns() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        house.spawner.down()
        let waiting = try house.submit("waiting")
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        #expect(try house.state(waiting) == .queued)
        #expect(house.spawner.containers.count == 1, "nobody could remove it")
        house.spawner.up()
        try house.run("second job") { house.relay.jobs.keys.contains { $0.job == waiting } }
        #expect(house.spawner.containers.count == 1)
    }

    @Test func aContainerThatEndedWhileSpawnerdWasAwayIsNoticed() throws {
        let house = try House()
        let (job, _) = try house.running()
        let runner = try #require(try house.runners().first).id
        house.spawner.down()
        house.spawner.containers[runner] = nil
        house.spawner.up()
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason == "the runner's container is gone")
        try house.expectEmpty()
    }

    @Test func anUnknownContainerOfOursIsRemoved() throws {
        let house = try House()
        house.spawner.down()
        let stray = Bytes16.random()
        house.spawner.containers[stray] = .running
        house.spawner.up()
        try house.run("removed") { house.spawner.containers.isEmpty }
    }

    @Test func aRunnerThatNeverSaysHelloIsGivenUp() throws {
        let house = try House { $0.readyLimit = .milliseconds(20) }
        house.spawner.saysHello = false
        let job = try house.submit()
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason.contains("did not report"))
        try house.expectEmpty()
    }

    @Test func aContainerThatEndsBeforeItsHello() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        try house.run("created") { !house.spawner.created.isEmpty }
        house.settle()
        house.spawner.exit(house.spawner.created[0], code: 126)
        try house.run(job, to: .lost)
        #expect(try house.job(job).reason.contains("before it was ready with exit code 126"))
        try house.expectEmpty()
    }

    @Test func aJobThatOverstaysIsEndedByForce() throws {
        let house = try House { $0.timeoutMargin = .milliseconds(-990) }
        let job = try house.submit(timeout: 1)
        try house.run(job, to: .timedOut)
        try house.expectEmpty()
    }

    @Test func aJobThatRelaydRefusesFails() throws {
        let house = try House()
        house.relay.refusal = Failure(.notFound, "no such source archive", place: "source")
        let job = try house.submit()
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason.contains("source archive"))
        try house.expectEmpty()
    }

    @Test func aJobThatRelaydCannotTakeNowIsToldAgain() throws {
        let house = try House()
        house.relay.refusal = Failure(.storageFull, "")
        let job = try house.submit()
        try house.run(job, to: .assigned)
        house.settle()
        house.relay.refusal = nil
        try house.run("told") { !house.relay.jobs.isEmpty }
    }

    @Test func aRunnerThatIsBeingMadeAlreadyIsAskedForAgain() throws {
        let house = try House()
        var refusals = 3
        house.spawner.refusal = { _ in
            refusals -= 1
            return refusals >= 0 ? Failure(.notReady, "this runner is being made") : nil
        }
        let job = try house.submit()
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        #expect(Set(house.spawner.created).count == 1 && house.spawner.created.count == 4)
        #expect(try house.relay.attempt().attempt == 1)
    }

    @Test func aContainerThatEndsWhileItIsMadeIsExplained() throws {
        let house = try House { $0.drain = .seconds(60) }
        house.spawner.refusal = { _ in Failure(.runnerGone, "the runner's container has ended") }
        let job = try house.submit()
        try house.run("created") { !house.spawner.created.isEmpty }
        house.settle()
        #expect(try house.state(job) == .assigned, "the reason is on its way")
        house.spawner.exit(house.spawner.created[0], outOfMemory: true)
        try house.run(job, to: .failed)
        #expect(try house.job(job).reason.contains("memory limit"))
        try house.expectEmpty()
    }
}
