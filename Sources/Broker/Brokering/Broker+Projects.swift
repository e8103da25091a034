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
        try checkPlace(policy)
        var next = content
        try Failure.vault { () throws(VaultError) in
            try next.put(StoredPolicy(policy: policy, setMs: now(), setBy: person.name))
        }
        try record(
            .projectSet, [("by", person.name), ("project", order.project), ("revision", policy.revision.hex)])
        try commit(&next, person, at: given.order.issuedMs)
    }

    /// What was given for one forge and repository goes to no other: whoever may write the rules would have it else.
    private func checkPlace(_ policy: Policy) throws(Failure) {
        // Who gives it before there are rules gives it to whoever makes them.
        guard let before = content.policy(policy.project), !before.isAt(policy),
            let found = ForgeSecret.allCases.first(where: { content.secret(policy.project, $0.rawValue) != nil })
        else { return }
        let name = found.rawValue
        throw Failure(
            .deniedByPolicy,
            "its \(name) was given for another forge, app or repository; remove it, apply, and set it again: "
                + "`bulkhead secret rm \(policy.project) \(name)`", place: name)
    }

    /// Its secrets stay, but for those that are for the forge: they are removed one by one.
    func remove(
        _ order: RemoveProjectOrder, _ given: borrowing GivenOrder, _ person: Person
    ) throws(Failure) {
        try person.check(.applyProject, in: order.project)
        try Self.expectNothing(given)
        var next = content
        guard next.removePolicy(order.project) else {
            throw Failure(.notFound, "there is no project '\(order.project)'", place: "project")
        }
        for secret in ForgeSecret.allCases { _ = next.remove(order.project, secret.rawValue) }
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

extension Policy {
    /// Whether both are of the same repository, at the same forge, in the name of the same app.
    fileprivate func isAt(_ other: Policy) -> Bool {
        forge == other.forge && url == other.url && app == other.app && repositoryId == other.repositoryId
            && repositoryPath == other.repositoryPath
    }
}
