// A house with one project, and what a forge may say of it.

import Link
import Scheduling
import Store
import Testing
import Wire

struct ForgeCase {
    static let head = String(repeating: "a", count: 40)
    static let base = String(repeating: "b", count: 40)
    static let repository = ForgeRepository(id: 4711, path: "acme/shop")
    static let ada = ForgeAccount(id: 1, name: "ada")
    static let eve = ForgeAccount(id: 2, name: "eve")

    let house: House
    let revision: Bytes32

    /// `jobs`: their JSON.
    init(_ jobs: String, _ adjust: (inout SchedulerSettings) -> Void = { _ in }, before: (House) -> Void = { _ in })
        throws
    {
        house = try House(adjust)
        before(house)
        let document = """
            {"name": "shop", "forge": {"kind": "github"}, "repository": {"id": 4711}, "default_branch": "main",
             "jobs": [\(jobs)]}
            """
        let request = SchedulerEdge.ApplyProject(
            token: Samples.token, order: Samples.order, document: Array(document.utf8))
        revision = try house.call(request).revision
    }

    /// Delivers it, under a name that stands for its body.
    func deliver(_ name: UInt64, _ event: ForgeEvent, again: Bool = false) throws {
        house.broker.deliveries["\(name)"] = DeliveryWord(
            delivery: Bytes32(name, 0, 0, 0), project: "shop", revision: revision, event: event, generation: 1,
            issuedMs: 1, mac: Bytes32(name, 7, 7, 7))
        #expect(try house.deliver("\(name)").created != again)
    }

    func deliveries() throws -> [SchedulerEdge.DeliverySummary] {
        try house.call(
            SchedulerEdge.ListDeliveries(token: Samples.token, project: "shop", before: 0, limit: 50)
        ).deliveries
    }

    /// The newest one, when it has come so far.
    func newest(_ state: SchedulerEdge.DeliveryState) throws -> SchedulerEdge.DeliverySummary {
        try house.run("\(state)") { try self.deliveries().first?.state == state }
        return try #require(try deliveries().first)
    }

    static func push(to branch: String = "main", before: String = base) -> ForgeEvent {
        .push(
            PushEvent(
                repository: repository, reference: GitReference(tag: false, name: branch), before: before, after: head,
                sender: ada))
    }

    static func change(
        _ action: ChangeAction = .opened, head: String = head, base: String = base, into branch: String = "main",
        isOwn: Bool = false
    ) -> ForgeEvent {
        .change(changeEvent(action, head: head, base: base, into: branch, isOwn: isOwn))
    }

    static func changeEvent(
        _ action: ChangeAction = .other, head: String = head, base: String = base, into branch: String = "main",
        isOwn: Bool = false
    ) -> ChangeEvent {
        ChangeEvent(
            repository: repository, number: 7, action: action,
            head: ChangeSide(
                repository: isOwn ? repository : ForgeRepository(id: 9, path: "eve/shop"), branch: "patch",
                commit: head),
            base: ChangeSide(repository: repository, branch: branch, commit: base), author: eve, sender: eve,
            draft: false)
    }

    static func wish(_ head: String = head, number: UInt64 = 7, by account: ForgeAccount = ada) -> ForgeEvent {
        .approval(ApprovalEvent(repository: repository, number: number, head: head, branch: "", by: account))
    }
}
