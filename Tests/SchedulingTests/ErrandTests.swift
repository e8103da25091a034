// What the jobs of a delivery need of a forge: sources, changed files, job files, where a change is based. Each is
// asked for when it is needed, again after a fault, and of nobody else's.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct ErrandTests {
    private static let test = #"{"name": "test", "image": "busybox", "steps": [{"run": "make test"}]}"#

    @Test func aJobHasTheSourceOfItsCommit() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.push())
        let job = try #require(try forge.newest(.planned).jobs.first)
        let house = forge.house
        #expect(house.courier.sources.map(\.commit) == [ForgeCase.head])
        #expect(house.courier.sources.first?.place == .init(project: "shop", repository: ForgeCase.repository))
        #expect(house.relay.stored == [Samples.source.size])
        let definition = try house.witness.see { rows in try rows.definition(of: try #require(try rows.job(job))) }
        #expect(definition.source == Samples.source)
        #expect(house.broker.events.first?.definition.source == Samples.source)
    }

    /// What relayd says it has stored is compared with what courierd has fetched.
    @Test func anotherSourceIsNone() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.fetched = Source(sha256: Bytes32(3, 3, 3, 3), size: Samples.source.size)
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.refused).text.contains("another source"))
    }

    /// One archive for all jobs of a delivery.
    @Test func severalJobsShareIt() throws {
        let forge = try ForgeCase(Self.test + "," + Self.test.replacing(#""test""#, with: #""lint""#))
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.planned).jobs.count == 2)
        #expect(forge.house.courier.count("source") == 1)
    }

    @Test func whoNeedsNoneAsksForNone() throws {
        let forge = try ForgeCase(
            #"{"name": "test", "checkout": false, "image": "busybox", "steps": [{"run": "true"}]}"#,
            before: { $0.withoutCourier() })
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.planned).jobs.count == 1)
        #expect(forge.house.courier.sources.isEmpty)
    }

    @Test func aForgeThatIsAwayIsAskedAgain() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["source"] = Failure(.deadlineExceeded, "the forge does not answer")
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("asked again") { forge.house.courier.count("source") > 2 }
        let waiting = try #require(try forge.deliveries().first)
        #expect(waiting.state == .waits && waiting.text.contains("the forge does not answer"))
        forge.house.courier.refusals = [:]
        #expect(try forge.newest(.planned).text.isEmpty)
    }

    /// While nothing has failed yet, too: a forge that is silent is asked for long.
    @Test func whatADeliveryWaitsForIsSaidAtOnce() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.slow = ["source"]
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("asked") { forge.house.courier.count("source") == 1 }
        #expect(try forge.deliveries().first?.text == "waits: the forge is asked for the sources")
        forge.house.courier.down()
        forge.house.settle()
        #expect(try forge.deliveries().first?.text == "waits: courierd is away")
    }

    /// What is wrong for good is said, and when it is mended the same delivery is planned anew.
    @Test func whatWasMissingIsMended() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["source"] = Failure(
            .notFound, "set it: `bulkhead secret set shop forge-token`", place: "forge-token")
        try forge.deliver(1, ForgeCase.push())
        let refused = try forge.newest(.refused)
        #expect(refused.text.contains("bulkhead secret set shop forge-token") && refused.jobs.isEmpty)
        forge.house.courier.refusals = [:]
        try forge.deliver(1, ForgeCase.push(), again: true)
        let planned = try forge.newest(.planned)
        #expect(planned.id == refused.id && planned.jobs.count == 1)
        // Now it is a job, and stays the only one.
        try forge.deliver(1, ForgeCase.push(), again: true)
        #expect(try forge.newest(.planned).jobs == planned.jobs)
    }

    @Test func aRestartInTheMiddleMakesOneJob() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.slow = ["source"]
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("asked") { forge.house.courier.count("source") == 1 }
        try forge.house.restart()
        #expect(try forge.newest(.planned).jobs.count == 1)
        #expect(forge.house.courier.count("source") == 2)
    }

    @Test func courierdMayGoAndComeBack() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.slow = ["source"]
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("asked") { forge.house.courier.count("source") == 1 }
        forge.house.courier.slow = []
        forge.house.courier.down()
        forge.house.settle()
        #expect(try forge.deliveries().first?.state == .waits)
        forge.house.courier.up()
        #expect(try forge.newest(.planned).jobs.count == 1)
    }

    // MARK: files

    private static let docs = """
        {"name": "docs", "paths": ["docs/**"], "image": "busybox", "steps": [{"run": "make docs"}]}
        """

    @Test func filesSayWhichJobs() throws {
        let forge = try ForgeCase(Self.test + "," + Self.docs)
        forge.house.courier.files = .init(files: ["src/main.c"], complete: true)
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.planned).jobs.count == 1)
        let asked = try #require(forge.house.courier.filesAsked.first)
        #expect(asked.base == ForgeCase.base && asked.head == ForgeCase.head && asked.number == 0)
        forge.house.courier.files = .init(files: ["docs/a.md"], complete: true)
        try forge.deliver(2, ForgeCase.push(to: "other"))
        #expect(try forge.newest(.planned).jobs.count == 2)
    }

    @Test func whatIsNotKnownFits() throws {
        let forge = try ForgeCase(Self.docs)
        forge.house.courier.files = .init(files: ["src/main.c"], complete: false)
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.planned).jobs.count == 1)
        // A branch that is new has nothing that it could be compared with.
        try forge.deliver(2, ForgeCase.push(to: "new", before: ""))
        #expect(try forge.newest(.planned).jobs.count == 1)
        #expect(forge.house.courier.filesAsked.count == 1)
    }

    /// After a forced push the forge has nothing left to compare with.
    @Test func whatCannotBeComparedFits() throws {
        let forge = try ForgeCase(Self.docs)
        forge.house.courier.refusals["files"] = Failure(.notFound, "no such commit")
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.planned).jobs.count == 1)
    }

    @Test func aCourierThatIsBusyIsAskedAgain() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["source"] = Failure(.limitReached, "32 errands are under way", place: "errands")
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("asked again") { forge.house.courier.count("source") > 2 }
        #expect(try forge.deliveries().first?.text.contains("under way") == false, "no forge is to blame")
        forge.house.courier.refusals = [:]
        #expect(try forge.newest(.planned).jobs.count == 1)
    }

    @Test func noJobForTheseFiles() throws {
        let forge = try ForgeCase(Self.docs)
        forge.house.courier.files = .init(files: ["src/main.c"], complete: true)
        try forge.deliver(1, ForgeCase.change())
        #expect(try forge.newest(.idle).text == "no job is for the files that changed")
        #expect(forge.house.courier.filesAsked.first?.number == 7)
    }

    // MARK: job files

    private static let file = #"{"name": "ci", "ci_file": "ci/job.yaml", "timeout": "5m"}"#

    @Test func aForksJobFileIsThatOfItsBase() throws {
        let forge = try ForgeCase(Self.file)
        forge.house.courier.definition = Samples.definition("ci", project: "shop")
        try forge.deliver(1, ForgeCase.change())
        #expect(try forge.newest(.held).jobs.count == 1)
        let read = try #require(forge.house.courier.jobFiles.first)
        #expect(read.commit == ForgeCase.base && read.branch.isEmpty)
        #expect(read.rule.path == "ci/job.yaml" && read.rule.timeoutSeconds == 300)
        #expect(forge.house.courier.sources.isEmpty, "nobody fetches what nobody has approved")
    }

    @Test func aMistakeInAFileIsSaid() throws {
        let forge = try ForgeCase(Self.file)
        forge.house.courier.refusals["job file"] = Failure(.invalid, "line 3: image is missing", place: "ci/job.yaml")
        try forge.deliver(1, ForgeCase.push())
        let row = try forge.newest(.refused)
        #expect(row.text.contains("image is missing") && row.text.contains("ci/job.yaml"))
    }

    // MARK: what a change is based on

    @Test func whereAChangeIsBasedIsAskedFor() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.change = ForgeCase.changeEvent()
        try forge.deliver(1, ForgeCase.change(base: ""))
        let job = try #require(try forge.newest(.held).jobs.first)
        let held = try forge.house.call(SchedulerEdge.GetHeld(token: Samples.token, job: job))
        #expect(held.base == ForgeCase.base && held.branch == "main")
        // brokerd gets the word, and not ours; also after a restart.
        try forge.house.restart()
        _ = try forge.house.call(SchedulerEdge.ApproveJob(token: Samples.token, job: job, order: Samples.order))
        try forge.house.run("vouched") { forge.house.broker.events.last?.base?.commit == ForgeCase.base }
        #expect(forge.house.broker.approvals.last?.base?.branch == "main")
        // It has gone on before we asked.
        forge.house.courier.change = ForgeCase.changeEvent(head: String(repeating: "e", count: 40))
        try forge.deliver(2, ForgeCase.change(.updated, head: String(repeating: "d", count: 40), base: ""))
        #expect(try forge.newest(.refused).text.contains("gone on"))
    }

    // MARK: approvals by a comment

    @Test func acommentReleasesAHeldJob() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change())
        let job = try #require(try forge.newest(.held).jobs.first)
        try forge.deliver(2, ForgeCase.wish())
        let wish = try forge.newest(.planned)
        #expect(wish.text.contains("approved change 7") && wish.jobs.isEmpty)
        try forge.house.run("released") { try forge.house.state(job) != .held }
        let approval = try #require(forge.house.broker.approvals.first)
        #expect(approval.may?.account == ForgeCase.ada && approval.order == nil && approval.asks != nil)
        #expect(approval.base?.branch == "main" && forge.house.courier.count("change") == 1)
        #expect(forge.house.courier.sources.map(\.commit) == [ForgeCase.head])
        let definition = try forge.house.witness.see { rows in
            try rows.definition(of: try #require(try rows.job(job)))
        }
        #expect(definition.source == Samples.source)
    }

    @Test func whoMayNotApproveReleasesNothing() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change())
        let job = try #require(try forge.newest(.held).jobs.first)
        forge.house.broker.refusals["approve"] = Failure(.deniedByPolicy, "may not write")
        try forge.deliver(2, ForgeCase.wish(by: ForgeCase.eve))
        #expect(try forge.newest(.refused).text.contains("may not write"))
        #expect(try forge.house.state(job) == .held)
        // The same by somebody who may.
        forge.house.broker.refusals = [:]
        try forge.deliver(3, ForgeCase.wish(number: 0))
        try forge.house.run("released") { try forge.house.state(job) != .held }
    }

    @Test func anApprovalOfNothingIsSaid() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.wish())
        #expect(try forge.newest(.refused).text.contains("no job of these commits waits"))
        #expect(forge.house.courier.count("permission") == 0, "a comment about nothing costs no question")
    }

    /// The delivery does not say what it is based on, and that has moved since it was asked.
    @Test func whatIsApprovedIsTheBaseOfNow() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change(base: ""))
        let job = try #require(try forge.newest(.held).jobs.first)
        let moved = String(repeating: "e", count: 40)
        forge.house.courier.change = ForgeCase.changeEvent(base: moved)
        try forge.deliver(2, ForgeCase.wish())
        try forge.house.run("released") { try forge.house.state(job) != .held }
        let vouched = try #require(forge.house.broker.events.last)
        #expect(vouched.approval?.base == moved && vouched.base?.commit == moved)
    }

    /// It is sent to another branch after somebody has approved it: there it waits for somebody else.
    @Test func anotherBranchTakesAnApprovalAway() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change(into: "dev"))
        let first = try #require(try forge.newest(.held).jobs.first)
        forge.house.courier.change = ForgeCase.changeEvent(into: "dev")
        try forge.deliver(2, ForgeCase.wish())
        #expect(try forge.newest(.planned).text.contains("into dev"))
        try forge.house.run("released") { try forge.house.state(first) != .held }
        #expect(forge.house.broker.events.last?.approval?.branch == "dev")
        for (name, action) in [(3 as UInt64, ChangeAction.opened), (4, .updated)] {
            try forge.deliver(name, ForgeCase.change(action))
            let row = try forge.newest(.held)
            #expect(try forge.house.state(try #require(row.jobs.first)) == .held)
        }
        #expect(forge.house.broker.count("vouch event") == 1)
    }

    /// What is closed by now, or gone, is not approved.
    @Test func aClosedChangeIsNotApproved() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change())
        _ = try forge.newest(.held)
        forge.house.courier.change = ForgeCase.changeEvent(.merged)
        try forge.deliver(2, ForgeCase.wish())
        #expect(try forge.newest(.refused).text.contains("closed"))
        forge.house.courier.change = nil
        try forge.deliver(3, ForgeCase.wish())
        #expect(try forge.newest(.refused).text.contains("no such change"))
        #expect(forge.house.broker.approvals.isEmpty)
    }

    /// New commits come while the approved ones are fetched.
    @Test func aPushTakesAnApprovalAwayInTheMiddle() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change())
        let job = try #require(try forge.newest(.held).jobs.first)
        forge.house.courier.slow = ["source"]
        try forge.deliver(2, ForgeCase.wish())
        try forge.house.run("fetched") { forge.house.courier.count("source") == 1 }
        try forge.deliver(3, ForgeCase.change(.updated, head: String(repeating: "c", count: 40)))
        forge.house.courier.release()
        _ = try forge.newest(.held)
        try forge.house.run("ended") { try forge.house.state(job) == .cancelled }
        #expect(forge.house.broker.count("vouch event") <= 1)
    }

    // MARK: fairness

    /// A forge that answers to nothing keeps few of its own deliveries under way, and nobody else's waiting.
    @Test func aSlowForgeTakesNotAllOfTheRoom() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.slow = ["source"]
        for number in 1...100 { try forge.deliver(UInt64(number), ForgeCase.push(to: "b\(number)")) }
        forge.house.settle()
        #expect(forge.house.courier.count("source") == 4)
        forge.house.courier.slow = []
        forge.house.courier.release()
        try forge.house.run("all") {
            try forge.house.witness.see { try $0.openDeliveries(limit: 1, known: [], but: []).isEmpty }
        }
        #expect(forge.house.courier.count("source") == 100)
    }

    @Test func aDeadForgeHoldsUpNobodyElse() throws {
        let forge = try ForgeCase(Self.test)
        let other = """
            {"name": "inn", "forge": {"kind": "github"}, "repository": {"id": 12}, "default_branch": "main",
             "jobs": [\(Self.test)]}
            """
        let applied = try forge.house.call(
            SchedulerEdge.ApplyProject(token: Samples.token, order: Samples.order, document: Array(other.utf8)))
        forge.house.courier.refusals["source"] = Failure(.deadlineExceeded, "dead")
        forge.house.courier.refusedProject = "shop"
        for number in 1...200 { try forge.deliver(UInt64(number), ForgeCase.push(to: "b\(number)")) }
        forge.house.broker.deliveries["inn"] = DeliveryWord(
            delivery: Bytes32(1, 0, 0, 0), project: "inn", revision: applied.revision,
            event: .push(
                PushEvent(
                    repository: ForgeRepository(id: 12, path: "acme/inn"),
                    reference: GitReference(tag: false, name: "main"), before: "", after: ForgeCase.head,
                    sender: ForgeCase.ada)), generation: 1, issuedMs: 1, mac: Bytes32(999, 7, 7, 7))
        _ = try forge.house.deliver("inn", project: "inn")
        try forge.house.run("its job") {
            try forge.house.call(
                SchedulerEdge.ListDeliveries(token: Samples.token, project: "inn", before: 0, limit: 1)
            ).deliveries.first?.state == .planned
        }
        #expect(try forge.deliveries().allSatisfy { $0.state == .waits })
        forge.house.courier.refusals = [:]
        try forge.house.run("all") {
            try forge.house.witness.see { try $0.openDeliveries(limit: 1, known: [], but: []).isEmpty }
        }
    }
}
