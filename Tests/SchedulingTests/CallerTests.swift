// Who may ask for what: brokerd says who it is, and a job is nobody but itself.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct CallerTests {
    private static let token = "bj1.token"

    /// A house with a running job that knows its own token, and another job.
    private func houseOfJobs() throws -> (house: House, own: UInt64, other: UInt64) {
        let house = try House()
        let (own, attempt) = try house.running("own")
        let (other, _) = try house.running("other")
        house.broker.callers[Self.token] = .job(.init(attempt: attempt, project: "shop"))
        return (house, own, other)
    }

    @Test func aJobLooksAtItself() throws {
        let (house, own, _) = try houseOfJobs()
        #expect(try house.call(SchedulerEdge.GetJob(token: Self.token, job: own)).summary.state == .running)
        #expect(try house.callForFD(SchedulerEdge.OpenLog(token: Self.token, job: own)).1 == 1)
        var states: [JobState] = []
        house.watch(own, token: Self.token, { states.append($0) }, { _ in })
        try house.run("its state") { states == [.running] }
    }

    @Test func aJobLooksAtNoOther() throws {
        let (house, _, other) = try houseOfJobs()
        #expect(try house.failure(SchedulerEdge.GetJob(token: Self.token, job: other)) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.OpenLog(token: Self.token, job: other)) == .unauthorized)
        var ends: [ErrorCode?] = []
        house.watch(other, token: Self.token, { _ in Issue.record("told") }, { ends.append($0?.errorCode) })
        try house.run("refused") { ends == [.unauthorized] }
    }

    @Test func aJobDoesNothingElse() throws {
        let (house, own, _) = try houseOfJobs()
        let token = Self.token
        #expect(try house.failure(SchedulerEdge.GetStatus(token: token)) == .unauthorized)
        let list = SchedulerEdge.ListJobs(token: token, before: 0, limit: 1, state: nil)
        #expect(try house.failure(list) == .unauthorized)
        let submit = SchedulerEdge.SubmitJob(token: token, requestId: "r", definition: Samples.definition(), order: nil)
        #expect(try house.failure(submit) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.CancelJob(token: token, job: own, graceSeconds: 1)) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.ListRunners(token: token)) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.CreateRunner(token: token, shape: Samples.shape())) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.DeleteRunner(token: token, runner: .random())) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.OpenUpload(token: token, size: 1)) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.FinishUpload(token: token, upload: 1)) == .unauthorized)
        #expect(try house.failure(SchedulerEdge.SendOrder(token: token, order: Samples.order)) == .unauthorized)
        let secrets = SchedulerEdge.ListSecrets(token: token, project: "shop", after: "")
        #expect(try house.failure(secrets) == .unauthorized)
        #expect(house.broker.executed.isEmpty)
        #expect(try house.state(own) == .running)
    }

    /// No answer is kept: whoever was somebody a moment ago is asked for again.
    @Test func everyRequestIsAskedFor() throws {
        let house = try House()
        _ = try house.call(SchedulerEdge.GetStatus(token: Samples.token))
        house.broker.callers = [:]
        #expect(try house.failure(SchedulerEdge.GetStatus(token: Samples.token)) == .unauthorized)
        #expect(house.broker.count("verify") == 2)
    }

    @Test func ordersAndNamesPassThrough() throws {
        let house = try House()
        _ = try house.call(SchedulerEdge.SendOrder(token: Samples.token, order: Samples.order))
        #expect(house.broker.executed == [Samples.order])
        let first = try house.call(SchedulerEdge.ListSecrets(token: Samples.token, project: "shop", after: ""))
        #expect(first.secrets.map(\.name) == ["a", "b"] && first.more)
        #expect(first.secrets[0] == .init(name: "a", setMs: 7, setBy: "shop"))
        let second = try house.call(SchedulerEdge.ListSecrets(token: Samples.token, project: "shop", after: "b"))
        #expect(second.secrets.map(\.name) == ["c"] && !second.more)
    }

    @Test(arguments: [ErrorCode.orderRefused, .conflict, .auditFailed, .notFound])
    func brokerdsRefusalOfAnOrderIsTold(_ code: ErrorCode) throws {
        let house = try House()
        house.broker.refusals["execute"] = Failure(code, "no")
        #expect(try house.failure(SchedulerEdge.SendOrder(token: Samples.token, order: Samples.order)) == code)
    }

    @Test func whatBrokerdSaysOfAJobIsWritten() throws {
        let house = try House()
        house.broker.trust = .approved
        let definition = Samples.definition("signed", secrets: ["npm"])
        let job = try house.call(Samples.submission("signed", definition, order: Samples.order)).job
        let asked = try #require(house.broker.vouched.first)
        #expect(asked.token == Samples.token && asked.order == Samples.order && asked.requestId == "signed")
        #expect(asked.project == "shop" && asked.secrets == ["npm"])
        let row = try house.job(job)
        #expect(row.project == "shop" && row.trust == .approved && row.needsGrant)
        let ticket = try #require(try house.witness.see { try $0.ticket(ofJob: job) })
        #expect(ticket.definition == asked.definition && ticket.secrets == ["npm"])
        let view = try house.call(SchedulerEdge.GetJob(token: Samples.token, job: job)).summary
        #expect(view.project == "shop" && view.trust == .approved)
        let plain = try house.job(try house.submit("plain"))
        #expect(plain.trust == .untrusted && !plain.needsGrant)
    }

    /// The hash is that of the canonical bytes: what the CLI signs, and what the runner compares.
    @Test func theDefinitionIsNamedByItsHash() throws {
        let house = try House()
        let definition = JobDefinition(project: "shop", spec: Samples.spec(), source: nil, schedule: .usual)
        _ = try house.call(Samples.submission("a", definition))
        var other = definition
        other.spec.name = "another"
        _ = try house.call(Samples.submission("b", other))
        let hashes = house.broker.vouched.map(\.definition)
        #expect(hashes[0] != hashes[1])
        #expect(hashes[0].hex == Samples.hash)
    }

    @Test func aJobThatBrokerdDoesNotVouchForIsNotWritten() throws {
        let house = try House()
        let unsigned = Samples.submission("r", Samples.definition(secrets: ["npm"]))
        #expect(try house.failure(unsigned) == .orderRefused)
        house.broker.refusals["vouch"] = Failure(.notFound, "no such secret", place: "secrets")
        #expect(try house.failure(Samples.submission("r")) == .notFound)
        #expect(try house.witness.see { try $0.queuedCount() } == 0)
    }
}
