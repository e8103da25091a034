// What JobMachine wants before the first step.

import RunnerCore
import Testing
import Wire

@Suite struct PreparationTests {
    static let secretive = JobSpec.of([Step("use", "x", secrets: [SecretUse("token", .variable, "TOKEN")])])
    static let plain = JobSpec.of([Step("use", "x")])

    @Test func noJobBeginsBeforeTheDirectoryIsEmpty() {
        let job = MachineDriver()
        job.run(Self.plain, wiped: false)
        #expect(job.actions == [.startTimer(.grant, milliseconds: 15_000), .watchGrant])
        #expect(job.machine.awaited == .emptiness)
        job.actions = job.machine.grantWiped(now: job.now)
        #expect(job.started == [0])
        #expect(job.actions.first == .stopTimer(.grant))
        #expect(job.machine.awaited == nil)
    }

    @Test func aJobWithSecretsTakesItsGrantAndThenWaits() {
        let job = MachineDriver()
        job.run(Self.secretive, wiped: false)
        #expect(job.actions == [.startTimer(.grant, milliseconds: 30_000), .watchGrant])
        #expect(job.machine.awaited == .grant)
        job.actions = job.machine.grantWiped(now: job.now)
        #expect(job.actions == [], "empty before the grant was there says nothing")
        job.actions = job.machine.grantTaken()
        let taken = JobMachine.Action.record(.grantTaken(RunnerEdge.GrantTaken()))
        #expect(job.actions == [taken, .startTimer(.grant, milliseconds: 15_000), .watchGrant])
        #expect(job.machine.awaited == .emptiness)
        let again = job.machine.grantTaken()
        #expect(again == [])
        job.actions += job.machine.grantWiped(now: job.now)
        #expect(job.started == [0])
    }

    @Test func theSourceMayComeMeanwhileInAnyOrder() {
        for sourceFirst in [true, false] {
            let job = MachineDriver()
            job.run(Self.plain, withSource: true, wiped: false)
            job.actions +=
                sourceFirst
                ? job.machine.sourceReady(files: 1, now: job.now) : job.machine.grantWiped(now: job.now)
            #expect(job.started == [])
            job.actions +=
                sourceFirst
                ? job.machine.grantWiped(now: job.now) : job.machine.sourceReady(files: 1, now: job.now)
            #expect(job.started == [0])
        }
    }

    @Test func patienceEnds() {
        let first = MachineDriver()
        first.run(Self.secretive, wiped: false)
        first.actions += first.machine.timerFired(.grant, now: first.now)
        #expect(first.end?.reason == "the grant did not come within 30s")
        let second = MachineDriver()
        second.run(Self.secretive, wiped: false)
        second.actions += second.machine.grantTaken()
        second.actions += second.machine.timerFired(.grant, now: second.now)
        #expect(second.end?.reason == "the grant was not wiped")
        #expect(second.outcomes == [.skipped])
        let late = second.machine.grantWiped(now: second.now)
        #expect(late == [])
        // A grant that was wiped in time is not missed later, while the source still arrives.
        let third = MachineDriver()
        third.run(Self.plain, withSource: true)
        #expect(third.actions.contains(.stopTimer(.grant)))
    }

    @Test func theJobsTimeAndACancelEndTheWait() {
        let late = MachineDriver()
        late.run(.of([Step("use", "x")], timeout: 60), wiped: false)
        late.actions += late.machine.timerFired(.job, now: late.now)
        #expect(late.end?.reason == "the job ran longer than 1m; its time ended while it waited for its grant")
        let cancelled = MachineDriver()
        cancelled.run(Self.secretive, wiped: false)
        cancelled.actions += cancelled.machine.cancel(grace: 0, now: 0)
        #expect(cancelled.end?.state == .cancelled)
        #expect(cancelled.machine.awaited == nil)
    }
}
