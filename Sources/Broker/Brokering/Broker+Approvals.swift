// Approvals: somebody vouches for exactly these commits of a change. By an order, who holds a key of this house; by a
// comment or a button, who may write to the repository, as the forge has told courierd a moment ago.

import ForgeModel
import Link
import Secret
import TrustModel
import TrustWire
import Vault
import Wire

extension Broker {
    func approve(_ request: BrokerEdge.Approve) throws(Failure) -> BrokerEdge.Approve.Reply {
        try check(request.change, place: "change")
        let policy = try policy(request.change.project, request.change.revision)
        guard case .change(let told) = request.change.event.event else {
            throw Failure(.invalid, "not a change", place: "change")
        }
        let change = try based(told, on: request.base, policy.project)
        let (head, base, by) = try approver(request, policy, change)
        let branch = change.base.branch
        let word = try stated(
            ApprovalWord(
                project: policy.project, number: change.number, head: head.hex, base: base.hex, branch: branch,
                revision: policy.revision, by: by, generation: 0, issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
        try record(
            .approved,
            [
                ("by", by), ("project", policy.project), ("change", "\(change.number)"), ("head", head.hex),
                ("base", base.hex), ("into", branch),
            ])
        return .init(approval: word)
    }

    private func approver(
        _ request: BrokerEdge.Approve, _ policy: Policy, _ change: Change
    ) throws(Failure) -> (head: Commit, base: Commit, by: String) {
        guard let order = request.order else { return try byForge(request, policy, change) }
        return try byOrder(order, request.token, policy, change)
    }

    /// The order names all that it is about: what somebody has looked at is what is approved.
    private func byOrder(
        _ sealed: SealedOrder, _ token: String, _ policy: Policy, _ change: Change
    ) throws(Failure) -> (head: Commit, base: Commit, by: String) {
        let person = try person(token)
        try person.check(.approve, in: policy.project)
        let given = try open(sealed, by: person)
        guard case .approve(let order) = given.order.body, given.value.count == 0 else {
            throw Failure(.orderRefused, "not an order to approve a change", place: "order")
        }
        guard order.project == policy.project, order.number == change.number, order.revision == policy.revision,
            let head = change.head.commit, order.head == head.hex, let base = change.base.commit,
            order.base == base.hex,
            change.goes(into: order.branch)
        else { throw Failure(.conflict, "the change is not what was looked at any more", place: "order") }
        return (head, base, "operator \(person.name)")
    }

    /// The delivery may be one of weeks ago: what counts is where the change is to go now, and where it was to go when
    /// somebody asked, as far as that was said.
    private func byForge(
        _ request: BrokerEdge.Approve, _ policy: Policy, _ change: Change
    ) throws(Failure) -> (head: Commit, base: Commit, by: String) {
        guard let asks = request.asks, let may = request.may else {
            throw Failure(.invalid, "nobody asks for it", place: "asks")
        }
        guard let base = request.base, now() - base.issuedMs <= PermissionWord.lifetimeMs else {
            throw Failure(.ticketRefused, "the forge was not asked about the change just now", place: "base")
        }
        try check(asks, place: "asks")
        try check(may, place: "may")
        guard asks.project == policy.project, may.project == policy.project,
            let wish = asks.event.approvalRequest, Account(may.account) == wish.by
        else { throw Failure(.invalid, "not of the same project and account", place: "asks") }
        do throws(ApprovalRefusal) {
            let approval = try wish.approval(
                of: change, in: ProjectRules(policy), PolicyRevision(digest: policy.revision.array),
                permission: Permission(may.permission))
            return (approval.head, approval.base, "\(policy.forge) \(wish.by.id) \(wish.by.name)")
        } catch {
            throw Failure(.deniedByPolicy, error.rawValue, place: "approval")
        }
    }

    /// As TrustModel judges it.
    func approval(_ word: ApprovalWord) throws(Failure) -> Approval {
        try check(word, place: "approval")
        guard let approval = Approval(word) else { throw Failure(.invalid, "no commits", place: "approval") }
        return approval
    }
}
