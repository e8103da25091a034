// Webhooks: one delivery, its jobs once; what waits for an approval, what releases it, and what takes it away.

import JobWire
import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct DeliveryTests {
    private static let document = """
        {"name": "shop", "forge": {"kind": "github"}, "repository": {"id": 4711}, "default_branch": "main",
         "jobs": [
           {"name": "test", "image": "busybox", "steps": [{"run": "make test"}]},
           {"name": "deploy", "events": ["push"], "branches": ["main"], "image": "busybox",
            "steps": [{"run": "deploy"}]}
         ]}
        """
    private static let head = String(repeating: "a", count: 40)
    private static let base = String(repeating: "b", count: 40)
    private static let repository = ForgeRepository(id: 4711, path: "acme/shop")
    private static let ada = ForgeAccount(id: 1, name: "ada")

    /// A house with the project, and its revision.
    private func house(_ adjust: (inout SchedulerSettings) -> Void = { _ in }) throws -> (House, Bytes32) {
        let house = try House(adjust)
        let reply = try house.call(
            SchedulerEdge.ApplyProject(
                token: Samples.token, order: Samples.order, document: Array(Self.document.utf8)))
        return (house, reply.revision)
    }

    private func word(_ name: UInt64, _ revision: Bytes32, _ event: ForgeEvent) -> DeliveryWord {
        DeliveryWord(
            delivery: Bytes32(name, 0, 0, 0), project: "shop", revision: revision, event: event, generation: 1,
            issuedMs: 1, mac: Bytes32(name, 7, 7, 7))
    }

    private func push(to branch: String) -> ForgeEvent {
        .push(
            PushEvent(
                repository: Self.repository, reference: GitReference(tag: false, name: branch), before: "",
                after: Self.head, sender: Self.ada))
    }

    private func change(_ action: ChangeAction = .opened, head: String = Self.head) -> ForgeEvent {
        .change(
            ChangeEvent(
                repository: Self.repository, number: 7, action: action,
                head: ChangeSide(repository: ForgeRepository(id: 9, path: "eve/shop"), branch: "patch", commit: head),
                base: ChangeSide(repository: Self.repository, branch: "main", commit: Self.base),
                author: ForgeAccount(id: 2, name: "eve"), sender: ForgeAccount(id: 2, name: "eve"), draft: false))
    }

    private func deliveries(_ house: House) throws -> [SchedulerEdge.DeliverySummary] {
        try house.call(
            SchedulerEdge.ListDeliveries(token: Samples.token, project: "shop", before: 0, limit: 50)
        ).deliveries
    }

    /// The newest one, when it waits for an approval.
    private func held(_ house: House) throws -> SchedulerEdge.DeliverySummary {
        try house.run("held") { try self.deliveries(house).first?.state == .held }
        return try #require(try deliveries(house).first)
    }

    /// W4: and after a restart.
    @Test func aPushMakesItsJobsOnce() throws {
        let (house, revision) = try house()
        house.broker.deliveries["push"] = word(1, revision, push(to: "main"))
        let first = try house.deliver("push")
        #expect(first.created)
        for _ in 0..<3 {
            let again = try house.deliver("push")
            #expect(!again.created && again.delivery == first.delivery)
        }
        try house.run("both jobs") { try self.deliveries(house).first?.jobs.count == 2 }
        let row = try #require(try deliveries(house).first)
        #expect(row.state == .planned && row.what == "push to main" && row.text.isEmpty)
        #expect(house.broker.events.map(\.job).sorted() == ["deploy", "test"])
        try house.restart()
        #expect(try !house.deliver("push").created)
        #expect(try deliveries(house).first?.jobs == row.jobs)
    }

    @Test func filtersSayWhichJobs() throws {
        let (house, revision) = try house()
        house.broker.deliveries["push"] = word(1, revision, push(to: "feature"))
        _ = try house.deliver("push")
        try house.run("its job") { try self.deliveries(house).first?.state == .planned }
        #expect(house.broker.events.map(\.job) == ["test"])
    }

    @Test func whatIsNotGenuineIsNotWritten() throws {
        let (house, _) = try house()
        #expect(throws: Failure.self) { try house.deliver("something") }
        #expect(try deliveries(house).isEmpty)
    }

    @Test func whatBrokerdOwesIsAskedForAgain() throws {
        let (house, revision) = try house()
        house.broker.deliveries["push"] = word(1, revision, push(to: "main"))
        house.broker.refusals["vouch event"] = Failure(.auditFailed, "no disk")
        _ = try house.deliver("push")
        try house.run("asked") { house.broker.count("vouch event") > 2 }
        #expect(try deliveries(house).first?.state == .waits)
        try house.restart()
        house.broker.refusals = [:]
        try house.run("made") { try self.deliveries(house).first?.jobs.count == 2 }
    }

    /// More at once than brokerd is asked about: those behind get their turn, though nothing else happens.
    @Test func everyoneOfAStormGetsItsTurn() throws {
        let (house, revision) = try house()
        house.broker.slow = ["vouch event"]
        for number in 1...300 {
            house.broker.deliveries["push \(number)"] = word(UInt64(number), revision, push(to: "feature"))
            _ = try house.deliver("push \(number)")
        }
        house.broker.slow = []
        house.broker.release()
        try house.run("all are made") {
            try house.witness.see { try $0.openDeliveries(limit: 1, known: [], but: []).isEmpty }
        }
        #expect(house.broker.events.count == 300)
    }

    @Test func whatBrokerdRefusesIsSaid() throws {
        let (house, revision) = try house()
        house.broker.deliveries["push"] = word(1, revision, push(to: "feature"))
        house.broker.refusals["vouch event"] = Failure(.deniedByPolicy, "secret 'x' is not there for this event")
        _ = try house.deliver("push")
        try house.run("refused") { try self.deliveries(house).first?.state == .refused }
        #expect(try deliveries(house).first?.text.contains("secret 'x'") == true)
    }

    @Test func aForkWaitsForAnApproval() throws {
        let (house, revision) = try house()
        house.broker.deliveries["change"] = word(1, revision, change())
        _ = try house.deliver("change")
        let row = try held(house)
        let job = try #require(row.jobs.first)
        #expect(try house.state(job) == .held && row.state == .held && house.broker.events.isEmpty)
        let held = try house.call(SchedulerEdge.GetHeld(token: Samples.token, job: job))
        #expect(held.number == 7 && held.head == Self.head && held.base == Self.base && held.author == "eve")
        let whys = try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: job)).whys
        #expect(whys.first?.kind == .needsApproval && whys.first?.advice.contains("bulkhead approve \(job)") == true)
        let reply = try house.call(
            SchedulerEdge.ApproveJob(token: Samples.token, job: job, order: Samples.order))
        #expect(reply.jobs == 1)
        try house.run("released") { try house.state(job) != .held }
        #expect(house.broker.events.first?.approval?.head == Self.head)
        #expect(try deliveries(house).first?.state == .planned)
        #expect(try house.failure(SchedulerEdge.GetHeld(token: Samples.token, job: job)) == .conflict)
    }

    @Test func whatIsReleasedReplacesWhatCameBeforeIt() throws {
        let house = try House()
        let grouped = Self.document.replacing(
            #""name": "test","#, with: #""name": "test", "group": "ci", "cancel_in_progress": true,"#)
        let revision = try house.call(
            SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array(grouped.utf8))
        ).revision
        func other(_ name: String) throws -> UInt64 {
            try house.submit(name) { $0.schedule.group = Group(name: "ci", cancelInProgress: false) }
        }
        let before = try other("before")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == before } }
        house.broker.deliveries["change"] = word(1, revision, change())
        _ = try house.deliver("change")
        let held = try #require(try deliveries(house).first?.jobs.first)
        let after = try other("after")
        house.settle()
        #expect(house.relay.cancelled.isEmpty, "as long as it is held it is in nobody's way")
        _ = try house.call(SchedulerEdge.ApproveJob(token: Samples.token, job: held, order: Samples.order))
        try house.run("asked to cancel") { house.relay.cancelled.contains { $0.job == before } }
        #expect(try house.state(held) == .queued && house.state(after) == .queued)
    }

    @Test func aPushToTheChangeTakesItAway() throws {
        let (house, revision) = try house()
        let newer = String(repeating: "c", count: 40)
        house.broker.deliveries["one"] = word(1, revision, change())
        house.broker.deliveries["two"] = word(2, revision, change(.updated, head: newer))
        house.broker.deliveries["closed"] = word(3, revision, change(.closed, head: newer))
        _ = try house.deliver("one")
        let first = try #require(try held(house).jobs.first)
        _ = try house.deliver("two")
        #expect(try house.state(first) == .cancelled)
        let order = SchedulerEdge.ApproveJob(token: Samples.token, job: first, order: Samples.order)
        #expect(try house.failure(order) == .conflict)
        let second = try #require(try held(house).jobs.first)
        #expect(try house.state(second) == .held)
        _ = try house.deliver("closed")
        #expect(try house.state(second) == .cancelled)
    }

    /// What was approved is run as it was approved, and nothing that came later.
    @Test func anApprovalIsOfItsCommitsAlone() throws {
        let (house, revision) = try house()
        house.broker.deliveries["one"] = word(1, revision, change())
        house.broker.deliveries["two"] = word(2, revision, change(.updated, head: String(repeating: "c", count: 40)))
        _ = try house.deliver("one")
        let job = try #require(try held(house).jobs.first)
        _ = try house.call(SchedulerEdge.ApproveJob(token: Samples.token, job: job, order: Samples.order))
        try house.run("released") { try house.state(job) != .held }
        _ = try house.deliver("two")
        let next = try held(house)
        #expect(try house.state(next.jobs[0]) == .held)
    }

    /// Nobody can approve it any more: brokerd's word on it names other rules.
    @Test func otherRulesEndWhatWaits() throws {
        let (house, revision) = try house()
        house.broker.deliveries["one"] = word(1, revision, change())
        _ = try house.deliver("one")
        let job = try #require(try held(house).jobs.first)
        let other = Self.document.replacing("make test", with: "make check")
        _ = try house.call(
            SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array(other.utf8)))
        #expect(try house.state(job) == .cancelled)
        #expect(try deliveries(house).first?.text == "the project's rules have changed")
        house.broker.deliveries["late"] = word(2, revision, push(to: "main"))
        _ = try house.deliver("late")
        #expect(try deliveries(house).first?.state == .refused)
    }

    /// The same of one that has no job yet: it was taken in while the old rules held.
    @Test func otherRulesEndWhatIsStillOwed() throws {
        let (house, revision) = try house()
        house.withoutCourier()
        house.broker.deliveries["push"] = word(1, revision, push(to: "main"))
        _ = try house.deliver("push")
        let other = Self.document.replacing("make test", with: "make check")
        _ = try house.call(
            SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array(other.utf8)))
        house.courier.up()
        try house.run("ended") {
            try self.deliveries(house).first?.text.contains("the project's rules have changed since") == true
        }
        #expect(house.broker.count("vouch event") == 0)
    }

    /// An old delivery that is sent again takes nothing from a later one.
    @Test func whatIsOvertakenStaysSo() throws {
        let (house, revision) = try house()
        house.courier.refusals["source"] = Failure(.notFound, "no token", place: "forge-token")
        house.broker.deliveries["one"] = word(1, revision, change())
        _ = try house.deliver("one")
        _ = try held(house)
        house.broker.deliveries["two"] = word(2, revision, change(.updated, head: String(repeating: "c", count: 40)))
        _ = try house.deliver("two")
        let job = try #require(try held(house).jobs.first)
        try house.patch("UPDATE deliveries SET state = 5 WHERE id = 1")
        _ = try house.deliver("one")
        #expect(try house.state(job) == .held)
        #expect(try deliveries(house).last?.text == "the change has gone on")
    }

    @Test func projectsAreListedShownAndRemoved() throws {
        let (house, revision) = try house()
        let page = try house.call(SchedulerEdge.ListProjects(token: Samples.token, after: ""))
        #expect(page.projects.map(\.name) == ["shop"] && page.projects.first?.jobs == 2 && !page.more)
        let shown = try house.call(SchedulerEdge.GetProject(token: Samples.token, project: "shop"))
        #expect(shown.document == Array(Self.document.utf8) && shown.revision == revision)
        #expect(
            try house.failure(
                SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array("{}".utf8)))
                == .invalid)
        _ = try house.call(
            SchedulerEdge.RemoveProject(token: Samples.token, order: Samples.order, project: "shop"))
        #expect(try house.failure(SchedulerEdge.GetProject(token: Samples.token, project: "shop")) == .notFound)
    }

    /// brokerd holds the new rules, and schedulerd died before it heard so.
    @Test func aLostAnswerLosesNoRules() throws {
        let (house, _) = try house()
        let other = Self.document.replacing("make test", with: "make check")
        let control = try House()
        let revision = try control.call(
            SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array(other.utf8))
        ).revision
        house.broker.slow = ["execute"]
        house.send(
            SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array(other.utf8))
        ) { _ in }
        try house.run("told") { house.broker.count("execute") == 2 }
        try house.restart()
        house.broker.deliveries["push"] = word(1, revision, push(to: "feature"))
        _ = try house.deliver("push")
        try house.run("planned") { try self.deliveries(house).first?.state == .planned }
        #expect(house.broker.events.first?.definition.spec.steps.first?.run == "make check")
    }

    /// W20: with its texts; and it is known when it comes again, a year later.
    @Test func anOldDeliveryGoesAfterItsJobsAndIsKnownForEver() throws {
        let (house, revision) = try house {
            $0.retention = .seconds(3600)
            $0.sweep = .milliseconds(5)
        }
        house.broker.deliveries["push"] = word(1, revision, push(to: "feature"))
        house.broker.deliveries["change"] = word(2, revision, change())
        house.broker.deliveries["young"] = word(3, revision, push(to: "main"))
        let old = try house.deliver("push")
        let held = try house.deliver("change")
        try house.run("its job") { try self.deliveries(house).last?.state == .planned }
        let job = try #require(try deliveries(house).last?.jobs.first)
        try house.patch("UPDATE deliveries SET received_at = -7200000")
        for _ in 0..<5 { house.settle() }
        #expect(try deliveries(house).count == 2, "its job is there")
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(job, to: .succeeded)
        try house.patch("UPDATE jobs SET ended_at = -7200000 WHERE id = \(job)")
        let young = try house.deliver("young")
        try house.run("gone") { try self.deliveries(house).map(\.id) == [young.delivery, held.delivery] }
        #expect(try house.witness.see { try $0.job(job) == nil && $0.deliveryJobs(old.delivery).isEmpty })
        for _ in 0..<2 {
            #expect(try house.deliver("push") == .init(delivery: old.delivery, created: false))
            try house.restart()
        }
        #expect(try deliveries(house).count == 2 && house.broker.events.count(where: { $0.job == "test" }) == 2)
    }

    /// More than one sweep takes.
    @Test func allOldDeliveriesGo() throws {
        let (house, revision) = try house {
            $0.retention = .seconds(3600)
            $0.sweep = .milliseconds(5)
        }
        for number in 1...130 {
            house.broker.deliveries["\(number)"] = word(UInt64(number), revision, .idle(IdleEvent(what: "a star")))
            _ = try house.deliver("\(number)")
        }
        #expect(try house.witness.see { try $0.deliveries(of: nil, before: 0, limit: 200).count } == 130)
        try house.patch("UPDATE deliveries SET received_at = -7200000")
        try house.run("gone") { try self.deliveries(house).isEmpty }
        #expect(try house.deliver("7") == .init(delivery: 7, created: false))
    }
}
