// A job's way from the queue to its end, when nothing goes wrong.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct FlowTests {
    @Test func aJobRunsAndEverythingIsClearedAway() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        #expect(attempt == Attempt(job: job, attempt: 1, epoch: 1))
        #expect(house.spawner.epochs == [1])
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
        #expect(house.relay.settled == [attempt])
        #expect(house.relay.dropped.count == 1)
        let row = try house.job(job)
        #expect(row.startedMs != nil && row.finishedMs != nil && row.result?.state == .succeeded)
        let view = try house.call(SchedulerEdge.GetJob(token: Samples.token, job: job))
        #expect(view.steps.map(\.name) == ["first", "second"])
        #expect(view.steps[0].result?.outcome == .succeeded && view.steps[0].startedMs != nil)
        #expect(view.steps[1].startedMs == nil)
        #expect(view.runner == nil)
    }

    @Test func theRequestIDMakesOneJob() throws {
        let house = try House()
        let request = Samples.submission("once")
        let first = try house.call(request)
        let second = try house.call(request)
        #expect(first.created && !second.created && first.job == second.job)
        house.broker.refusals["vouch"] = Failure(.orderRefused, "its order is too old")
        #expect(try house.call(request) == second, "what has its job is not judged anew")
        #expect(try house.failure(Samples.submission("another")) == .orderRefused)
        house.broker.callers = [:]
        #expect(try house.failure(request) == .unauthorized)
    }

    @Test func theRequestIDOfAnotherJobIsAConflict() throws {
        let house = try House()
        let first = try house.submit("hello", request: "once")
        let changes: [(inout JobDefinition) -> Void] = [
            { $0.spec.steps[0].run = "echo other" }, { $0.project = "other" }, { $0.source = Samples.source },
            { $0.spec.timeoutSeconds += 1 },
        ]
        for change in changes {
            var definition = Samples.definition()
            change(&definition)
            #expect(try house.failure(Samples.submission("once", definition)) == .conflict)
        }
        #expect(try house.call(Samples.submission("once")) == .init(job: first, created: false))
    }

    /// Twice at once: both are vouched for before either is written.
    @Test func theSameRequestTwiceAtOnceIsOneJob() throws {
        let house = try House()
        house.broker.slow = ["vouch"]
        var answers: [SchedulerEdge.SubmitJob.Reply] = []
        for _ in 0..<2 {
            house.send(Samples.submission("once")) { if let reply = try? $0.get() { answers.append(reply) } }
        }
        try house.run("asked twice") { house.broker.count("vouch") == 2 }
        house.broker.release()
        try house.run("answers") { answers.count == 2 }
        #expect(answers.map(\.created) == [true, false] && answers[0].job == answers[1].job)
    }

    @Test func oneSlotServesInTheOrderOfArrival() throws {
        let house = try House(maxRunners: 1)
        let first = try house.submit("first")
        let second = try house.submit("second")
        try house.run("first told") { house.relay.jobs.count == 1 }
        #expect(try house.state(second) == .queued)
        let view = try house.call(SchedulerEdge.GetJob(token: Samples.token, job: second))
        #expect(view.summary.reason.contains("the only runner is in use"))
        let attempt = try house.relay.attempt()
        #expect(attempt.job == first)
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run("second told") { house.relay.jobs.keys.contains { $0.job == second } }
        #expect(house.spawner.created.count == 2, "a runner is used once")
        house.relay.finish(try house.relay.attempt(), .failed)
        try house.run(second, to: .failed)
        #expect(try house.job(second).reason == "step 'second' failed with exit status 1")
        try house.expectEmpty()
    }

    @Test func aWarmRunnerWaitsForAJobOfItsShape() throws {
        let house = try House(maxRunners: 2)
        let runner = try house.call(
            SchedulerEdge.CreateRunner(token: Samples.token, shape: Samples.shape("debian"))
        ).runner
        try house.run("idle") { try house.runners().first?.state == .idle }
        let other = try house.submit("other", image: "busybox")
        try house.run(other, to: .assigned)
        #expect(try house.runners().first { $0.id == runner }?.state == .idle, "another shape does not take it")
        let fitting = try house.submit("fitting", image: "debian")
        try house.run("told") { house.relay.jobs.values.contains { $0.runner == runner } }
        #expect(house.relay.jobs.values.first { $0.runner == runner }?.attempt.job == fitting)
        #expect(house.spawner.created.count == 2)
    }

    /// Or four small ones that wait would hold up the house for ever.
    @Test func aRunnerThatSomebodyAskedForMakesRoom() throws {
        let house = try House(maxRunners: 1)
        let runner = try house.call(
            SchedulerEdge.CreateRunner(token: Samples.token, shape: Samples.shape("debian"))
        ).runner
        try house.run("idle") { try house.runners().first?.state == .idle }
        let other = try house.submit("other", image: "busybox")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == other } }
        #expect(try !house.runners().contains { $0.id == runner })
    }

    /// However many may wait; the house's own ones are made and let go as ever.
    @Test(arguments: [0, 1])
    func aRunnerThatSomebodyAskedForWaitsForItsCooldown(_ idle: Int) throws {
        let house = try House(maxRunners: 4) {
            $0.maxIdleRunners = idle
            $0.cooldown = .milliseconds(500)
        }
        let create = SchedulerEdge.CreateRunner(token: Samples.token, shape: Samples.shape("debian"))
        for _ in 0..<3 { _ = try house.call(create) }
        try house.run("idle") { try house.runners().allSatisfy { $0.state == .idle } }
        house.settle()
        #expect(try house.runners().count == 3)
        try house.expectEmpty()
    }

    @Test func runnersHaveALimitAndCanBeDeleted() throws {
        let house = try House(maxRunners: 1)
        let create = SchedulerEdge.CreateRunner(token: Samples.token, shape: Samples.shape())
        let runner = try house.call(create).runner
        #expect(try house.failure(create) == .limitReached)
        _ = try house.call(SchedulerEdge.DeleteRunner(token: Samples.token, runner: runner))
        try house.expectEmpty()
        #expect(
            try house.failure(SchedulerEdge.DeleteRunner(token: Samples.token, runner: runner)) == .notFound)
        _ = try house.told()
        let busy = try #require(try house.runners().first).id
        #expect(try house.failure(SchedulerEdge.DeleteRunner(token: Samples.token, runner: busy)) == .conflict)
    }

    /// Given up before the first state is told, or after it: nothing is kept, and one who stays is told everything.
    @Test func watchesThatAreGivenUpAreForgotten() throws {
        let house = try House()
        let (job, attempt) = try house.told()
        var (states, others): ([JobState], [JobState]) = ([], [])
        house.watch(job, { states.append($0) }, { _ in })
        try house.run("first item") { states == [.assigned] }
        for _ in 0..<100 { house.watch(job, { others.append($0) }, { _ in }).abandon() }
        let late = house.watch(job, { others.append($0) }, { _ in })
        try house.run("its item") { others == [.assigned] }
        late.abandon()
        house.settle()
        #expect(house.scheduler.watchCount == 1)
        house.relay.begin(attempt)
        try house.run("second item") { states == [.assigned, .running] }
        #expect(others == [.assigned])
    }

    @Test func watchingTellsEveryStateOnceAndEnds() throws {
        let house = try House()
        let (job, attempt) = try house.told()
        var states: [JobState] = []
        var ends = 0
        house.watch(job, { states.append($0) }, { _ in ends += 1 })
        try house.run("first item") { states == [.assigned] }
        house.relay.begin(attempt)
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run("end") { ends == 1 }
        #expect(states == [.assigned, .running, .succeeded])
        states = []
        house.watch(job, { states.append($0) }, { _ in ends += 1 })
        try house.run("end at once") { ends == 2 }
        #expect(states == [.succeeded])
    }

    @Test func theLogIsAnFDAndComesWhenTheJobHasBegun() throws {
        let house = try House(maxRunners: 1)
        house.spawner.saysHello = false
        let job = try house.submit()
        let request = SchedulerEdge.OpenLog(token: Samples.token, job: job)
        #expect(try house.failure(request) == .notReady)
        let runner = try #require(house.spawner.created.first)
        house.relay.takeStream(runner)
        try house.run("told") { !house.relay.jobs.isEmpty }
        var (reply, count) = try house.callForFD(request)
        #expect(count == 1 && !reply.complete)
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(job, to: .succeeded)
        (reply, count) = try house.callForFD(request)
        #expect(count == 1 && reply.complete)
    }

    @Test func duplicatesAndStrangersChangeNothing() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        let first = try #require(try house.job(job).startedMs)
        var stranger = attempt
        stranger.epoch += 1
        house.relay.finish(stranger, .failed)
        house.relay.begin(attempt)
        house.settle()
        #expect(try house.state(job) == .running && house.job(job).startedMs == first)
        #expect(Set(house.relay.settled) == [stranger], "relayd is told to forget what we do not know")
        house.relay.finish(attempt, .succeeded)
        house.relay.finish(attempt, .failed)
        try house.run(job, to: .succeeded)
        house.settle()
        #expect(try house.state(job) == .succeeded)
    }

    @Test func everyCallNeedsTheToken() throws {
        let house = try House()
        for token in ["", "let-me-ix", "let-me-in "] {
            #expect(try house.failure(SchedulerEdge.GetStatus(token: token)) == .unauthorized)
            #expect(
                try house.failure(
                    SchedulerEdge.SubmitJob(token: token, requestId: "r", definition: Samples.definition(), order: nil))
                    == .unauthorized)
            let list = SchedulerEdge.ListJobs(token: token, before: 0, limit: 1, state: nil)
            #expect(try house.failure(list) == .unauthorized)
            #expect(try house.failure(SchedulerEdge.GetJob(token: token, job: 1)) == .unauthorized)
            #expect(
                try house.failure(SchedulerEdge.CancelJob(token: token, job: 1, graceSeconds: 1)) == .unauthorized)
            #expect(try house.failure(SchedulerEdge.OpenLog(token: token, job: 1)) == .unauthorized)
            #expect(try house.failure(SchedulerEdge.ListRunners(token: token)) == .unauthorized)
            #expect(
                try house.failure(SchedulerEdge.CreateRunner(token: token, shape: Samples.shape())) == .unauthorized)
            #expect(
                try house.failure(SchedulerEdge.DeleteRunner(token: token, runner: .random())) == .unauthorized)
            #expect(try house.failure(SchedulerEdge.OpenUpload(token: token, size: 1)) == .unauthorized)
            #expect(try house.failure(SchedulerEdge.FinishUpload(token: token, upload: 1)) == .unauthorized)
            #expect(try house.failure(SchedulerEdge.SendOrder(token: token, order: Samples.order)) == .unauthorized)
            let secrets = SchedulerEdge.ListSecrets(token: token, project: "shop", after: "")
            #expect(try house.failure(secrets) == .unauthorized)
        }
        #expect(try house.call(SchedulerEdge.GetStatus(token: Samples.token)).instance == "test")
    }

    @Test func specsAreCheckedBehindTheWall() throws {
        let house = try House()
        func refused(_ change: (inout JobSpec) -> Void) throws -> ErrorCode {
            var spec = Samples.spec()
            change(&spec)
            return try house.failure(
                Samples.submission("r", JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual)))
        }
        #expect(try refused { $0.shape.resources.memoryBytes = 1 << 50 } == .invalid)
        #expect(try refused { $0.shape.resources.cpuMillis = 0 } == .invalid)
        #expect(try refused { $0.shape.resources.diskBytes = $0.shape.resources.memoryBytes + 1 } == .invalid)
        #expect(try refused { $0.shape.image = "a b" } == .invalid)
        #expect(try refused { $0.timeoutSeconds = 0 } == .invalid)
        #expect(try refused { $0.env[0].name = "A=B" } == .invalid)
        #expect(try refused { $0.shape.untrustedSteps = true } == .invalid)
        #expect(try refused { $0.steps[0].untrusted = true } == .invalid)
        let use = SecretUse(name: "npm", form: .file, variable: "A")
        #expect(
            try refused { spec in
                spec.steps[0].untrusted = true
                spec.shape.untrustedSteps = true
                spec.steps[0].secrets = [use]
            } == .invalid, "an untrusted step with a secret")
        #expect(try refused { $0.steps[0].secrets = [use, use] } == .invalid)
        #expect(try refused { $0.steps[0].secrets = [.init(name: "../npm", form: .file, variable: "A")] } == .invalid)
        #expect(
            try refused { $0.steps[0].secrets = [.init(name: "npm", form: .file, variable: "BULKHEAD_X")] } == .invalid)
        var definition = Samples.definition()
        definition.project = "../shop"
        #expect(try house.failure(Samples.submission("r", definition)) == .invalid)
        #expect(
            try refused { spec in
                spec.steps = (0..<4).map {
                    Samples.step("\($0)", run: String(repeating: "x", count: 16_000))
                }
            } == .tooLarge)
        #expect(try house.call(SchedulerEdge.GetStatus(token: Samples.token)).queued == 0)
    }

    @Test func statusNamesEngineAndDaemons() throws {
        let house = try House()
        house.settle()
        let status = try house.call(SchedulerEdge.GetStatus(token: Samples.token))
        #expect(status.engine == "docker 20.10" && status.maxRunners == 2)
        #expect(status.daemons.map(\.connected) == [true, true, true, true, true])
        house.relay.down(losingStreams: true)
        let later = try house.call(SchedulerEdge.GetStatus(token: Samples.token))
        #expect(later.daemons.first { $0.role == .relayd }?.connected == false)
    }

    /// An engine that has gone is not shown as it was.
    @Test func statusSaysThatTheEngineIsSilent() throws {
        let house = try House { $0.describeAgain = .milliseconds(5) }
        house.settle()
        func status() throws -> SchedulerEdge.GetStatus.Reply {
            try house.call(SchedulerEdge.GetStatus(token: Samples.token))
        }
        func detail() throws -> String { try status().daemons.first { $0.role == .spawnerd }?.detail ?? "" }
        #expect(try status().engine == "docker 20.10" && detail().isEmpty)
        house.spawner.silence = Failure(.engineUnavailable, "connect: no such file")
        try house.run("the engine is missed") { try status().engine.isEmpty }
        let why = try detail()
        #expect(why.hasPrefix("engine_unavailable: the engine has not answered for "), "\(why)")
        #expect(why.hasSuffix(" s: connect: no such file"), "\(why)")
        #expect(try status().maxRunners == 2 && status().daemons.allSatisfy(\.connected))
        house.spawner.silence = nil
        try house.run("the engine is back") { try status().engine == "docker 20.10" }
        #expect(try detail().isEmpty)
        house.spawner.down()
        #expect(try status().engine.isEmpty, "nobody can say")
    }
}
