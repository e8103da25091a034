// `why`: each reason, made to happen, and the advice beside it.

import GRDB
import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct ExplainTests {
    private func why(_ house: House, _ job: UInt64) throws -> SchedulerEdge.Why {
        let reply = try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: job))
        let first = try #require(reply.whys.first)
        // Since when others are in its way nobody knows.
        let isOfOthers: Set<SchedulerEdge.WhyKind> = [
            .allRunnersInUse, .notEnoughResources, .platformNotAvailable, .noSuchDevice, .noFreeDevice, .behindOthers,
            .nextInLine,
        ]
        #expect(!first.text.isEmpty && (first.sinceMs > 0) != isOfOthers.contains(first.kind), "\(first)")
        #expect(!reply.happenings.isEmpty)
        return first
    }

    private func expect(
        _ house: House, _ job: UInt64, _ kind: SchedulerEdge.WhyKind, _ words: String...,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let why = try why(house, job)
        #expect(why.kind == kind, "\(why.text)", sourceLocation: location)
        for word in words {
            #expect((why.text + " | " + why.advice).contains(word), "\(why)", sourceLocation: location)
        }
    }

    @Test func whatItWaitsForInTheHouse() throws {
        let house = try House(maxRunners: 1)
        let first = try house.submit("first")
        try house.run("told") { house.relay.jobs.count == 1 }
        try expect(house, first, .runnerIsStarting)
        house.relay.begin(try house.relay.attempt())
        try house.run(first, to: .running)
        try expect(house, first, .runs, "bulkhead log \(first)")
        let second = try house.submit("second")
        try expect(house, second, .allRunnersInUse, "the only runner", "--max-runners")
        let third = try house.submit("third") { $0.schedule.priority = 1 }
        let answers = try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: third)).whys
        #expect(answers.contains { $0.kind == .behindOthers && $0.text.hasPrefix("at least 1 job is") })
        let needs = try house.submit("needs") { $0.schedule.needs = [first] }
        try expect(house, needs, .needsOtherJobs, "\(first) (RUNNING)", "bulkhead why \(first)")
        let tagged = try house.submit("tagged") { $0.schedule.tags = ["big"] }
        try expect(house, tagged, .tagNotAvailable, "big", "--tags")
        let group = Group(name: "deploy", cancelInProgress: false)
        let holder = try house.submit("holder") { $0.schedule.group = group }
        let member = try house.submit("member") { $0.schedule.group = group }
        try expect(house, member, .groupIsBusy, "job \(holder)", "bulkhead cancel \(holder)")
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        try expect(house, second, .draining, "bulkhead drain --off")
    }

    @Test func whatTheMachineLacks() throws {
        let house = try House(maxRunners: 8) { $0.cpuPercent = 100 }
        house.spawner.cpus = 2
        house.spawner.devices = [.init(id: "a", vendor: .amd, name: "x", memoryBytes: 1)]
        try house.restart()
        try house.submit("half")
        try house.run("told") { house.relay.jobs.count == 1 }
        let large = try house.submit("large") { $0.spec.shape.resources.cpuMillis = 2000 }
        try expect(house, large, .notEnoughResources, "2 CPUs and 64MiB", "free are 1 CPU", "--cpu-percent")
        let foreign = try house.submit("foreign") { $0.spec.shape.platform = .linuxRiscv64 }
        try expect(house, foreign, .platformNotAvailable, "linux/riscv64", "qemu-user-static")
        let green = try house.submit("green") { $0.spec.shape.gpus = GPUs(count: 1, vendor: .nvidia) }
        try expect(house, green, .noSuchDevice, "1 nvidia GPU, and", "has none")
        try house.submit("red") { $0.spec.shape.gpus = GPUs(count: 1, vendor: .amd) }
        try house.run("told") { house.relay.jobs.count == 2 }
        let red = try house.submit("red too") { $0.spec.shape.gpus = GPUs(count: 1, vendor: .amd) }
        try expect(house, red, .noFreeDevice, "1 amd GPU is not free")
    }

    @Test func whoIsAway() throws {
        let house = try House()
        house.spawner.comesUp = false
        try house.restart()
        let job = try house.submit()
        try expect(house, job, .spawnerdIsAway, "spawnerd's log")
        house.spawner.refusal = { _ in Failure(.engineUnavailable, "connection refused") }
        house.spawner.up()
        try house.run("asked") { !house.spawner.created.isEmpty }
        house.settle()
        try house.run("queued again") { try house.state(job) == .queued }
        try expect(house, job, .engineUnavailable, "connection refused", "start or mend")
        house.relay.down(losingStreams: false)
        let answers = try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: job)).whys
        #expect(answers.contains { $0.kind == .relaydIsAway })
    }

    @Test func whyItEndedAndWhatWasTried() throws {
        let house = try House(maxRunners: 4)
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .failed)
        try house.run(job, to: .failed)
        try expect(house, job, .ended, "step 'second' failed", "bulkhead log \(job)")
        let lost = try house.submit("lost") { $0.schedule.retries = 1 }
        for number in UInt32(1)...2 {
            try house.run("attempt \(number)") { house.relay.jobs.keys.contains { $0.attempt == number } }
            house.spawner.exit(try #require(try house.runners().first { $0.job == lost }).id)
            try house.run("over") { house.relay.jobs.isEmpty }
        }
        try house.run(lost, to: .lost)
        try expect(house, lost, .ended, "exit code", "`retries` are 1")
        let lines = try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: lost)).happenings.map(\.text)
        #expect(lines.first == "submitted: QUEUED")
        #expect(lines.contains { $0.hasPrefix("attempt 1 on a new runner") })
        #expect(lines.contains { $0.hasPrefix("QUEUED: attempt 2 follows") })
        #expect(lines.last?.hasPrefix("LOST") == true)
    }

    /// What `retries` are not for must not be advised.
    @Test func whatItsRunnerSaysIsNotTriedAgain() throws {
        let house = try House(maxRunners: 4)
        let (job, attempt) = try house.running()
        house.relay.finish(attempt, .lost)
        try house.run(job, to: .lost)
        try expect(house, job, .ended, "on a runner's own word nothing is tried again")
        #expect(try !why(house, job).advice.contains("give it"))
    }

    @Test func whatToDoAfterACancellation() throws {
        let house = try House(maxRunners: 4)
        let group = Group(name: "deploy", cancelInProgress: true)
        let first = try house.submit("first") { $0.schedule.group = group }
        try house.run("told") { house.relay.jobs.count == 1 }
        let attempt = try house.relay.attempt()
        house.relay.begin(attempt)
        try house.run(first, to: .running)
        let needs = try house.submit("needs") { $0.schedule.needs = [first] }
        let second = try house.submit("second") { $0.schedule.group = group }
        try expect(house, first, .runs, "told to end: cancelled: job \(second) of its group replaces it")
        house.relay.finish(attempt, .cancelled)
        try house.run(first, to: .cancelled)
        try expect(house, first, .ended, "job \(second) of its group replaces it", "bulkhead job \(second)")
        try expect(house, needs, .ended, "not run", "bulkhead why \(first), then submit both again")
        let withdrawn = try house.submit("withdrawn") { $0.schedule.tags = ["big"] }
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: withdrawn, graceSeconds: 1))
        try expect(house, withdrawn, .ended, "before it began", "if that was not meant")
    }

    /// Nobody can submit what a forge has caused, and its delivery makes jobs once: so it is to be pushed again.
    @Test func whatAForgeHasCausedIsPushedAgain() throws {
        let own = #"{"name": "test", "image": "busybox", "steps": [{"run": "make test"}]}"#
        let forge = try ForgeCase(own)
        _ = try forge.house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        for (name, event, words) in [
            (1, ForgeCase.push(), "push again: git commit --allow-empty"),
            (2, ForgeCase.change(isOwn: true), "push to the change again, or close and reopen it"),
        ] {
            try forge.deliver(UInt64(name), event)
            let job = try #require(try forge.newest(.planned).jobs.first)
            _ = try forge.house.call(
                SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: 1))
            try forge.house.run(job, to: .cancelled)
            try expect(forge.house, job, .ended, "if that was not meant, \(words)")
            #expect(try !why(forge.house, job).advice.contains("submit"))
        }
    }

    /// A container that does not come up takes longer than a moment, and the words say so.
    @Test func aStartThatTakesLong() throws {
        let house = try House()
        house.spawner.saysHello = false
        let job = try house.submit()
        try house.run(job, to: .assigned)
        try expect(house, job, .runnerIsStarting, "half a second")
        house.wall.jump = .seconds(8)
        try expect(house, job, .runnerIsStarting, "longer than it should", "the engine is slow")
    }

    @Test func theOldContainerIsInTheWay() throws {
        let house = try House(maxRunners: 4)
        house.spawner.removalFailure = Failure(.engineUnavailable, "hangs")
        let job = try house.submit { $0.schedule.retries = 1 }
        try house.run("told") { house.relay.jobs.count == 1 }
        house.spawner.exit(try #require(try house.runners().first).id)
        try house.run(job, to: .queued)
        try expect(house, job, .oldAttemptIsClearedAway, "attempt 1 is lost")
    }

    /// A night without an engine is not a disk full of history. Counted in the table: the question has a limit itself.
    @Test func theHistoryIsBounded() throws {
        let house = try House {
            $0.retryShortest = .milliseconds(1)
            $0.retryLongest = .milliseconds(1)
        }
        house.spawner.refusal = { _ in Failure(.engineUnavailable, "connection refused") }
        let job = try house.submit()
        try house.run("many attempts") { try house.job(job).attempts > 60 }
        try DatabaseQueue(path: house.directory.database).read { db in
            let kept = try Int.fetchOne(db, sql: "SELECT count(*) FROM happenings WHERE job = ?", arguments: [job])
            // An attempt that is under way adds a few before the next trim.
            #expect(try #require(kept) <= StoreTransaction.happeningsKept + 5)
        }
        try house.store.write { rows throws in
            try rows.note(job: job, String(repeating: "ä", count: 400), at: 1)
            #expect(try rows.happenings(ofJob: job).last?.text.utf8.count == 256)
        }
    }

    /// A page of jobs that wait for the same is one look at the queue, and not one for each.
    @Test func aPageIsOneLook() throws {
        let house = try House(maxRunners: 8) {
            $0.cpuPercent = 100
            $0.patience = .zero
        }
        house.spawner.cpus = 2
        try house.restart()
        try house.submit("half") { $0.spec.shape.resources.cpuMillis = 1500 }
        try house.run("told") { house.relay.jobs.count == 1 }
        let large = try house.submit("large") { $0.spec.shape.resources.cpuMillis = 2000 }
        for number in 0..<20 {
            try house.submit("\(number)", image: "i\(number)") { $0.spec.shape.resources.cpuMillis = 500 }
        }
        house.settle()
        let before = house.scheduler.linesLookedAt
        let list = try house.call(
            SchedulerEdge.ListJobs(token: Samples.token, before: 0, limit: 20, state: .queued)
        ).jobs
        #expect(list.count == 20 && list.allSatisfy { $0.reason.contains("job \(large) asks for 2 CPUs") })
        #expect(house.scheduler.linesLookedAt - before == 1, "the one that all wait for is the first in line")
    }

    /// Counted by ranks, so it has a bound.
    @Test func howManyAreBefore() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            for number in 0..<6 {
                let project = "p\(number % 3)"
                try Samples.insert(rows, "\(number)", Samples.definition(image: "i\(number)", project: project))
            }
            try rows.charge("p0", cpuMillis: 1000)
            let (before, all) = try rows.waitingBefore(limit: 9)
            #expect(
                before == [
                    Rank(project: "p1", priority: 50): 0, Rank(project: "p2", priority: 50): 2,
                    Rank(project: "p0", priority: 50): 4,
                ] && all == 6)
            #expect(try rows.waitingBefore(limit: 2).all == 4)
        }
    }

    /// Its last news are an hour old, and what keeps it is not.
    @Test func sinceWhenItHolds() throws {
        let house = try House()
        house.spawner.comesUp = false
        try house.restart()
        let job = try house.submit()
        house.wall.jump = .seconds(3600)
        let later = house.wall.now
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        let drains = try why(house, job)
        #expect(drains.kind == .draining && drains.sinceMs >= later)
        house.wall.jump = .seconds(7200)
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: false))
        let away = try why(house, job)
        #expect(away.kind == .spawnerdIsAway && away.sinceMs < later, "from the start on")
        house.spawner.comesUp = true
        house.spawner.up()
        try house.run("told") { !house.relay.jobs.isEmpty }
        house.relay.begin(try house.relay.attempt())
        try house.run(job, to: .running)
        house.wall.jump = .seconds(9000)
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: 60))
        let runs = try why(house, job)
        let began = try house.job(job).startedMs
        #expect(runs.kind == .runs && runs.sinceMs == began)
    }

    /// Neither is the engine's fault, and nobody says so.
    @Test func whatSpawnerdRefuses() throws {
        // Long enough to look at it between two tries.
        let house = try House {
            $0.retryShortest = .milliseconds(200)
            $0.retryLongest = .milliseconds(200)
        }
        house.spawner.refusal = { _ in Failure(.conflict, "a later epoch", place: "epoch") }
        let job = try house.submit()
        try house.run("waits") { try house.job(job).reason.contains("later epoch") }
        try expect(house, job, .runnerCannotBeMade, "later epoch", "schedulerd")
        house.spawner.refusal = { _ in Failure(.conflict, "the grant is another's", place: "grant") }
        try house.run("asked again") { try house.job(job).reason.contains("grant is another runner's") }
        #expect(try !house.metrics().contains("engine_errors_total{code=\"conflict\"}"))
        house.spawner.refusal = { _ in nil }
        try house.run("told") { house.relay.jobs.count == 1 }
    }
}
