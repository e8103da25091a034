// Commit before act: what is not on the disk has not happened, for nobody.

import Daemon
import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct CommitTests {
    struct DiskFailed: Error {}

    /// The control of all tests here: what is written and not committed is not seen by the one who checks the effects.
    @Test func theWitnessSeesOnlyWhatIsCommitted() throws {
        let house = try House()
        var seenBefore: UInt64?
        house.store.beforeCommit = { seenBefore = try house.witness.see { try $0.job(ofRequest: "r") ?? 0 } }
        try house.store.write { _ = try Samples.insert($0, "r") }
        #expect(seenBefore == 0)
        #expect(try house.witness.see { try $0.job(ofRequest: "r") } != nil)
    }

    @Test func aFailedCommitAnswersInternalAndDoesNothing() throws {
        let house = try House()
        house.settle()
        house.store.beforeCommit = { throw DiskFailed() }
        let request = Samples.submission("r")
        #expect(try house.failure(request) == .internal)
        house.store.beforeCommit = nil
        #expect(house.spawner.created.isEmpty)
        #expect(try house.call(SchedulerEdge.GetStatus(token: Samples.token)).queued == 0)
        #expect(try house.call(request).created, "the same request succeeds when the disk does")
    }

    @Test func aFullDiskAnswersStorageFullAndEveryWaiterLearnsIt() throws {
        let house = try House(maxRunners: 1)
        _ = try house.told("holds the slot")
        house.store.beforeCommit = { throw StoreError.full }
        var failures: [ErrorCode] = []
        for index in 0..<5 {
            let request = Samples.submission("r\(index)")
            house.send(request) { result in
                if case .failure(let failure) = result { failures.append(failure.errorCode) }
            }
        }
        try house.run("five failures") { failures.count == 5 }
        #expect(Set(failures) == [.storageFull])
        house.store.beforeCommit = nil
        #expect(try house.call(SchedulerEdge.GetStatus(token: Samples.token)).queued == 0)
    }

    /// Two that succeed, and between them one that fails after it has written.
    @Test func aUnitThatFailsFailsAlone() throws {
        let house = try House(maxRunners: 1)
        _ = try house.told("holds the slot")
        let source = Source(sha256: Bytes32(1, 2, 3, 4), size: 10)
        try house.store.write { try $0.noteUpload(source, at: 1) }
        var failing = Samples.definition("b", source: source)
        failing.schedule.needs = [999]
        let commits = house.scheduler.batch.commits
        var answers: [ErrorCode?] = []
        for request in [Samples.submission("a"), Samples.submission("b", failing), Samples.submission("c")] {
            house.send(request) { result in
                if case .failure(let failure) = result {
                    answers.append(failure.errorCode)
                } else {
                    answers.append(nil)
                }
            }
        }
        try house.run("three answers") { answers.count == 3 }
        #expect(answers == [nil, .invalid, nil])
        #expect(house.scheduler.batch.commits == commits + 1, "they shared a transaction")
        #expect(try house.call(SchedulerEdge.GetStatus(token: Samples.token)).queued == 2)
        var isRetired = true
        try house.store.write { isRetired = try $0.retire(source.sha256) }
        #expect(!isRetired, "its upload is still to be taken up")
    }

    /// The next shape has the number of the one that was undone. That one fits, so the dispatcher has read it.
    @Test func aShapeThatWasNotCommittedIsNotTakenForTheNext() throws {
        let house = try House()
        house.settle()
        var large = Samples.definition("large")
        large.spec.shape.resources.memoryBytes = 5 << 30
        house.store.beforeCommit = { throw StoreError.full }
        #expect(try house.failure(Samples.submission("large", large)) == .storageFull)
        house.store.beforeCommit = nil
        // If each counted for the large one, there would be room for one.
        try house.run(house.submit("small"), to: .assigned)
        try house.run(house.submit("another"), to: .assigned)
    }

    /// The real thing: the file may not grow.
    @Test func aDatabaseWithoutRoomRefusesAndRecovers() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database, maximumPages: 60)
        var written = 0
        #expect(throws: StoreError.full) {
            for index in 0..<1000 {
                try store.write { rows throws in
                    _ = try Samples.insert(rows, "r\(index)")
                }
                written += 1
            }
        }
        #expect(written > 0)
        var found = 0
        try store.write { found = try $0.queuedCount() }
        #expect(found == written)
    }

    @Test func newsFromASiblingIsTakenWhenTheDiskIsBack() throws {
        let house = try House()
        let (job, attempt) = try house.running()
        var isBroken = true
        house.store.beforeCommit = { if isBroken { throw StoreError.full } }
        house.relay.finish(attempt, .succeeded)
        house.settle()
        #expect(try house.state(job) == .running)
        #expect(house.relay.settled.isEmpty, "relayd must not forget what is not on our disk")
        isBroken = false
        try house.run(job, to: .succeeded)
        try house.expectEmpty()
    }

    /// relayd goes on telling while the disk is full.
    @Test func newsWithoutEndIsBoundedAndAskedForAnew() throws {
        let house = try House { $0.waitingUnits = 50 }
        let (job, attempt) = try house.running()
        var isBroken = true
        house.store.beforeCommit = { if isBroken { throw StoreError.full } }
        let step = RelayEdge.RelayEvent.stepStarted(.init(attempt: attempt, index: 1))
        var most = 0
        try house.run("the link is dropped") {
            for _ in 0..<20 { house.relay.tell(attempt, step) }
            most = max(most, house.scheduler.batch.waitingCount)
            return !house.relay.isReady && !house.spawner.isReady
        }
        #expect(most > 20 && most < 100)
        house.relay.finish(attempt, .succeeded)
        house.settle()
        #expect(!house.relay.isReady, "it stays down until something can be written")
        #expect(house.scheduler.batch.waitingCount < 10)
        isBroken = false
        try house.run(job, to: .succeeded)
        #expect(house.relay.isReady && house.spawner.isReady)
        try house.expectEmpty()
    }

    @Test(arguments: ["BULKHEAD", "BULKHEAD_JOB_ID", "BULKHEAD_X", "1X", ""])
    func namesOfVariablesAreCheckedBehindTheWall(_ name: String) throws {
        let house = try House()
        var spec = Samples.spec()
        spec.env = [Variable(name: "BULKHEADS", value: "ours")]
        try SpecCheck.check(JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual))
        spec.env = [Variable(name: name, value: "42")]
        #expect(throws: Failure.self) {
            try SpecCheck.check(JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual))
        }
        if name.isEmpty { return }
        let request = Samples.submission("r", JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual))
        #expect(try house.failure(request) == .invalid)
    }

    @Test func oneUnitThatFailsFailsAlone() throws {
        let house = try House()
        var good: UInt64?
        var bad: ErrorCode?
        house.send(
            Samples.submission("good")
        ) { good = try? $0.get().job }
        house.send(
            Samples.submission("bad", Samples.definition(source: Samples.source))
        ) { if case .failure(let failure) = $0 { bad = failure.errorCode } }
        try house.run("both") { good != nil && bad != nil }
        #expect(bad == .notFound)
        #expect(try house.job(try #require(good)).name == "hello")
    }

    @Test func allOfAPassShareOneCommit() throws {
        let house = try House(maxRunners: 1)
        _ = try house.told("holds the slot")
        house.settle()
        let before = house.scheduler.batch.commits
        var answers = 0
        for index in 0..<20 {
            house.send(
                Samples.submission("r\(index)")
            ) { _ in answers += 1 }
        }
        try house.run("answers") { answers == 20 }
        #expect(house.scheduler.batch.commits - before < 10)
    }

    @Test func anUploadIsKeptForItsJobAndRemovedAfterIt() throws {
        let house = try House()
        house.settle()
        let (reply, count) = try house.callForFD(SchedulerEdge.OpenUpload(token: Samples.token, size: 1024))
        #expect(count == 1)
        let finish = SchedulerEdge.FinishUpload(token: Samples.token, upload: reply.upload)
        let guessed = SchedulerEdge.FinishUpload(token: Samples.token, upload: reply.upload &+ 1)
        #expect(try house.failure(guessed) == .notFound)
        #expect(try house.call(finish).source == Samples.source)
        #expect(try house.failure(finish) == .notFound, "an upload is finished once")
        let first = try house.submit("first", source: Samples.source)
        try house.run("told") { house.relay.jobs.count == 1 }
        #expect(house.relay.jobs.values.first?.definition.source == Samples.source)
        let second = try house.submit("second", source: Samples.source)
        let attempts = house.relay.jobs.keys.filter { $0.job == first }
        house.relay.finish(try #require(attempts.first), .succeeded)
        try house.run(first, to: .succeeded)
        house.settle()
        #expect(house.relay.removedSources.isEmpty, "the second job needs it")
        try house.run("second told") { house.relay.jobs.keys.contains { $0.job == second } }
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run("removed") { house.relay.removedSources == [Samples.source.sha256] }
        house.settle()
        let third = Samples.submission("third", Samples.definition(source: Samples.source))
        #expect(try house.failure(third) == .notFound)
    }

    /// Somebody who uploads for an hour keeps nobody else's archive.
    @Test func anUploadKeepsNoOtherArchive() throws {
        let house = try House()
        house.settle()
        let upload = try house.callForFD(SchedulerEdge.OpenUpload(token: Samples.token, size: 1024)).0.upload
        _ = try house.call(SchedulerEdge.FinishUpload(token: Samples.token, upload: upload))
        let job = try house.submit(source: Samples.source)
        try house.run("told") { house.relay.jobs.count == 1 }
        _ = try house.callForFD(SchedulerEdge.OpenUpload(token: Samples.token, size: 1024))
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(job, to: .succeeded)
        try house.run("removed") { house.relay.removedSources == [Samples.source.sha256] }
    }

    /// The same archive comes again in the moment in which its last job ends: both are in one commit.
    @Test func anArchiveThatComesAgainIsNotRemoved() throws {
        let house = try House()
        house.settle()
        func upload() throws {
            let upload = try house.callForFD(SchedulerEdge.OpenUpload(token: Samples.token, size: 1024)).0.upload
            _ = try house.call(SchedulerEdge.FinishUpload(token: Samples.token, upload: upload))
        }
        try upload()
        let job = try house.submit(source: Samples.source)
        try house.run("told") { house.relay.jobs.count == 1 }
        let attempt = try house.relay.attempt()
        house.relay.beforeFinish = { house.relay.finish(attempt, .succeeded) }
        try upload()
        #expect(try house.state(job) == .succeeded)
        house.settle()
        #expect(house.relay.removedSources.isEmpty)
        house.relay.beforeFinish = {}
        try house.submit("again", source: Samples.source)
        try house.run("told again") { house.relay.jobs.count == 1 }
    }
}
