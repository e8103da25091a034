// Approvals: who may give one, what it is bound to, and that no push slips in under it.

import ForgeModel
import ProjectModel
import Testing
import TrustModel

@Suite struct ApprovalTests {
    private let project: Project

    init() throws { project = try Sample.project() }

    private func refusal(
        _ request: ApprovalRequest?, _ change: Change?, _ permission: Permission? = .write
    ) -> ApprovalRefusal? {
        let request =
            request
            ?? ApprovalRequest(
                repository: Sample.own, number: 5, head: Sample.commit("a"), branch: nil, by: Sample.alice)
        do throws(ApprovalRefusal) {
            _ = try request.approval(of: change, in: project.rules, Sample.revision, permission: permission)
            return nil
        } catch {
            return error
        }
    }

    private func request(
        by account: Account = Sample.alice, head: Commit = Sample.commit("a"), number: UInt64? = 5,
        into branch: String? = nil, in repository: Repository = Sample.own
    ) -> ApprovalRequest {
        ApprovalRequest(repository: repository, number: number, head: head, branch: branch, by: account)
    }

    /// W14: not by the author, not by who may not write, not on an issue. The first lines are the control.
    @Test func whoMayApproveWhat() {
        #expect(refusal(nil, Sample.change()) == nil)
        #expect(refusal(nil, Sample.change(), .admin) == nil)
        #expect(refusal(request(number: nil), Sample.change()) == nil)
        #expect(refusal(nil, Sample.change(), .read) == .mayNotWrite)
        #expect(refusal(nil, Sample.change(), Permission.none) == .mayNotWrite)
        #expect(refusal(nil, Sample.change(), nil) == .permissionUnknown)
        #expect(refusal(request(by: Sample.mallory), Sample.change(), .admin) == .byAuthor)
        // The number is the account; the name can be anything.
        #expect(refusal(request(by: Account(id: 66, name: "alice")), Sample.change(), .admin) == .byAuthor)
        // Some accounts of a forge have no number; they are not told apart.
        let machine = Account(id: 0, name: "machine")
        let ofMachine = Sample.change(author: machine, sender: machine)
        #expect(refusal(request(by: Account(id: 0, name: "alice")), ofMachine, .admin) == .byAuthor)
        #expect(refusal(nil, nil) == .noSuchChange)
        #expect(refusal(request(number: 6), Sample.change()) == .noSuchChange)
        #expect(refusal(request(head: Sample.commit("c")), Sample.change()) == .notTheHead)
        #expect(refusal(nil, Sample.change(commit: nil)) == .notTheHead)
        #expect(refusal(nil, Sample.change(at: nil)) == .unknownBase)
        #expect(refusal(nil, Sample.change(.closed)) == .closed)
        #expect(refusal(nil, Sample.change(.merged)) == .closed)
    }

    /// Where it is to go is where he has seen it go, byte for byte.
    @Test func whatWasMeantForAnotherBranch() throws {
        #expect(refusal(request(into: "main"), Sample.change()) == nil)
        #expect(refusal(request(into: "dev"), Sample.change()) == .otherBranch)
        #expect(refusal(request(into: "main"), Sample.change(to: "dev")) == .otherBranch)
        #expect(refusal(request(into: "caf\u{E9}"), Sample.change(to: "caf\u{E9}")) == nil)
        #expect(refusal(request(into: "caf\u{E9}"), Sample.change(to: "cafe\u{301}")) == .otherBranch)
        // Who names none means the one that it has, and that is what the approval names.
        let approval = try request().approval(
            of: Sample.change(to: "dev"), in: project.rules, Sample.revision, permission: .write)
        #expect(approval.branch == "dev")
    }

    /// W13: said in one repository, meant for another.
    @Test func aCommentOfAnotherRepository() {
        #expect(refusal(request(in: Sample.fork), Sample.change()) == .noSuchChange)
        #expect(refusal(request(in: Sample.fork), Sample.change(in: Sample.fork)) == .noSuchChange)
        #expect(refusal(request(), Sample.change(in: Sample.fork)) == .noSuchChange)
    }

    @Test func aButton() {
        func button(_ identifier: String, _ tag: CheckTag? = nil) -> ApprovalRequest? {
            ApprovalRequest(
                Button(
                    repository: Sample.own, identifier: identifier, head: Sample.commit("a"), tag: tag, app: [],
                    sender: Sample.alice))
        }
        let tag = CheckTag(job: 1, number: 5, branch: "dev")
        #expect(button("approve", tag) == request(number: 5, into: "dev"))
        // It would mean any change of these commits, into whatever branch.
        #expect(button("approve") == nil)
        #expect(button("rerun", tag) == nil && button("Approve", tag) == nil && button("approve\u{301}", tag) == nil)
    }

    /// W20: an approval that was kept holds for nothing but what it was given for.
    @Test func whatItIsBoundTo() {
        func standing(_ approval: Approval, _ change: Change = Sample.change()) -> ApprovalStanding {
            approval.standing(for: change, of: project.rules, Sample.revision)
        }
        #expect(standing(Sample.approval()) == .valid)
        #expect(standing(Sample.approval(head: Sample.commit("c"))) == .otherHead)
        #expect(standing(Sample.approval(base: Sample.commit("c"))) == .otherBase)
        // The same commits, from the same commit, into another branch.
        #expect(standing(Sample.approval(), Sample.change(to: "dev")) == .otherBase)
        #expect(standing(Sample.approval(into: "dev"), Sample.change(to: "dev")) == .valid)
        #expect(standing(Sample.approval(into: "caf\u{E9}"), Sample.change(to: "cafe\u{301}")) == .otherBase)
        #expect(standing(Sample.approval(number: 6)) == .otherChange)
        #expect(standing(Sample.approval(project: "other")) == .otherProject)
        #expect(standing(Sample.approval(revision: PolicyRevision(digest: [2]))) == .otherPolicy)
        #expect(standing(Sample.approval(), Sample.change(commit: nil)) == .otherHead)
        #expect(standing(Sample.approval(), Sample.change(at: nil)) == .otherBase)
        #expect(standing(Sample.approval(), Sample.change(in: Sample.fork)) == .otherProject)
    }

    @Test func whatEndsIt() {
        let approval = Sample.approval()
        #expect(approval.survives(Sample.change(.other("labeled"))))
        #expect(approval.survives(Sample.change(.opened)))
        #expect(approval.survives(Sample.change(.other("labeled"), at: nil)))
        #expect(approval.survives(Sample.change(.updated, number: 6)))
        // Back to the same commit is a push, too.
        #expect(!approval.survives(Sample.change(.updated)))
        for action: Change.Action in [.reopened, .closed, .merged] {
            #expect(!approval.survives(Sample.change(action)))
        }
        #expect(!approval.survives(Sample.change(.other("edited"), at: Sample.commit("c"))))
        #expect(!approval.survives(Sample.change(.other("edited"), to: "dev")))
        #expect(!approval.survives(Sample.change(.other("edited"), commit: Sample.commit("c"))))
    }

    /// W16: pushes, moves of the base, other rules and approvals in any order. What runs as approved is what was
    /// approved last, with nothing in between.
    @Test(arguments: 0..<20) func nothingSlipsInUnderAnApproval(_ seed: Int) throws {
        var random = Lehmer(seed: seed)
        var change = Sample.change()
        var revision = Sample.revision
        var record: Approval?
        // The model: what somebody has looked at since the last thing that ended it.
        var seen: (head: Commit, base: Commit, branch: String, revision: PolicyRevision)?
        var runs = 0
        for _ in 0..<500 {
            switch random.next(6) {
            case 0, 1:
                let head = [Sample.commit("a"), Sample.commit("b"), Sample.commit("c")][random.next(3)]
                change = Sample.change(.updated, commit: head, to: change.base.branch, at: change.base.commit)
                seen = nil
            case 2:
                revision = PolicyRevision(digest: [UInt8(random.next(2))])
            case 3:
                change = Sample.change(
                    .updated, commit: change.head.commit, to: ["main", "dev"][random.next(2)],
                    at: [Sample.commit("d"), Sample.commit("e")][random.next(2)])
                seen = nil
            case 4:
                let asked = request(head: Sample.commit("a"))
                do throws(ApprovalRefusal) {
                    record = try asked.approval(of: change, in: project.rules, revision, permission: .write)
                    if let base = change.base.commit { seen = (Sample.commit("a"), base, change.base.branch, revision) }
                } catch {
                    #expect(error == .notTheHead)
                }
            default: break
            }
            if change.action == .updated, seen == nil, record?.survives(change) == false { record = nil }
            let plan = project.plan(for: .change(change), files: nil, approval: record, revision)
            guard case .jobs(let work) = plan else { throw Unexpected() }
            let isApproved =
                seen.map {
                    $0.head == change.head.commit && $0.base == change.base.commit && $0.revision == revision
                        && $0.branch == change.base.branch
                } ?? false
            #expect(work.source == change.head.commit)
            #expect((work.decision.trust == .approved) == isApproved && work.decision.isHeld == !isApproved)
            runs += isApproved ? 1 : 0
        }
        #expect(runs > 10)
    }

    private struct Unexpected: Error {}
}

/// Numbers that look random and are the same each time.
struct Lehmer {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 2 &+ 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next(_ bound: Int) -> Int {
        state = state &* 0xDA94_2042_E4DD_58B5
        return Int((state >> 33) % UInt64(bound))
    }
}
