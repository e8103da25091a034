// The rules of projects. They come sealed, from whoever holds a key, and are what brokerd decides by: schedulerd keeps
// projects, too, and nothing that it says about them counts here.

import Daemon
import Link
import Secret
import TrustModel
import TrustWire
import Vault
import Wire

extension Broker {
    private static let policyPage = 128

    func set(
        _ order: SetProjectOrder, _ given: borrowing GivenOrder, _ person: Person
    ) throws(Failure) {
        try person.check(.applyProject, in: order.project)
        let bytes = unsafe given.value.withBytes { unsafe Array($0) }
        let policy: Policy
        do { policy = try Policy.decoded(bytes) } catch {
            throw Failure(.invalid, "no policy: \(error)", place: "value")
        }
        guard policy.project == order.project, Names.isProject(order.project) else {
            throw Failure(.invalid, "not this project's policy", place: "project")
        }
        for rule in policy.secrets where !Names.isSecret(rule.name) || ForgeSecret(rawValue: rule.name) != nil {
            throw Failure(.invalid, "'\(rule.name)' is no secret that a job may have", place: "secrets")
        }
        var next = content
        try Failure.vault { () throws(VaultError) in
            try next.put(StoredPolicy(policy: policy, setMs: now(), setBy: person.name))
        }
        try record(
            .projectSet, [("by", person.name), ("project", order.project), ("revision", policy.revision.hex)])
        try commit(&next, person, at: given.order.issuedMs)
    }

    /// Its secrets stay: they are removed one by one.
    func remove(
        _ order: RemoveProjectOrder, _ given: borrowing GivenOrder, _ person: Person
    ) throws(Failure) {
        try person.check(.applyProject, in: order.project)
        try Self.expectNothing(given)
        var next = content
        guard next.removePolicy(order.project) else {
            throw Failure(.notFound, "there is no project '\(order.project)'", place: "project")
        }
        try record(.projectRemoved, [("by", person.name), ("project", order.project)])
        try commit(&next, person, at: given.order.issuedMs)
    }

    func listPolicies(_ request: BrokerEdge.ListPolicies) throws(Failure) -> BrokerEdge.ListPolicies.Reply {
        let after = Array(request.after.utf8)
        let found = content.policies.filter { after.lexicographicallyPrecedes($0.policy.project.utf8) }
        let page = found.prefix(Self.policyPage).map {
            BrokerEdge.PolicyInfo(
                project: $0.policy.project, revision: $0.policy.revision, setMs: $0.setMs, setBy: $0.setBy)
        }
        return .init(policies: page, more: found.count > page.count)
    }

    /// The rules as they are now, if they are still those that `revision` names.
    func policy(_ project: String, _ revision: Bytes32) throws(Failure) -> Policy {
        guard let policy = content.policy(project), policy.revision == revision else {
            throw Failure(.conflict, "the rules of project '\(project)' have changed since", place: "revision")
        }
        return policy
    }
}
