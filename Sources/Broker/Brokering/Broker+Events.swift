// A ticket for a job of a delivery: how far its commits are trusted is decided here, by the project's rules and by what
// brokerd itself has stated, and what runs for it must be what the project says.

import ForgeModel
import Link
import Orders
import TrustModel
import TrustWire
import Vault
import Wire

extension Broker {
    func vouchEvent(_ request: BrokerEdge.VouchEvent) throws(Failure) -> BrokerEdge.VouchEvent.Reply {
        try check(request.delivery, place: "delivery")
        let policy = try policy(request.delivery.project, request.delivery.revision)
        let rules = ProjectRules(policy)
        let work = try work(request, rules, policy)
        if work.decision.isHeld { throw Failure(.notReady, "it waits until somebody approves it", place: "approval") }
        try checkDefinition(request, policy, work)
        let secrets = try secrets(request, rules, work)
        let ticket = Ticket(
            order: try Self.order(request.delivery.delivery, request.job), subject: work.subject,
            project: policy.project, trust: work.decision.trust.wire, commit: work.commit.hex,
            definition: try Self.hash(request.definition), secrets: secrets, ownValues: false, generation: 0,
            issuedMs: 0, mac: Bytes32(0, 0, 0, 0))
        return .init(ticket: try stated(ticket))
    }

    /// The same job of the same delivery has the same name for ever: no second one runs for it.
    private static func order(_ delivery: Bytes32, _ job: String) throws(Failure) -> Bytes16 {
        let hash = Hashes.sha256(Array("bulkhead job of delivery 1".utf8) + delivery.array + Array(job.utf8))
        guard let order = Bytes16(bytes: Array(hash.array.prefix(16))) else { throw Failure(.internal, "no name") }
        return order
    }

    /// What an event's jobs have in common.
    private struct Work {
        let commit: Commit
        let reference: Reference
        let decision: TrustDecision
        /// Where job files are read, if that is a commit and no branch.
        let definition: Commit?
        let subject: String
    }

    private func work(
        _ request: BrokerEdge.VouchEvent, _ rules: ProjectRules, _ policy: Policy
    ) throws(Failure) -> Work {
        switch request.delivery.event.event {
        case .push(let push):
            guard let commit = push.after else { throw Failure(.invalid, "nothing was pushed", place: "delivery") }
            let decision = rules.question(of: push).decision
            return Work(
                commit: commit, reference: push.reference, decision: decision,
                definition: decision.definition == .itself ? commit : nil, subject: Self.subject(push.sender, rules))
        case .change(let change):
            let change = try based(change, on: request.base, policy.project)
            guard let commit = change.head.commit else {
                throw Failure(.invalid, "the change names no commit", place: "delivery")
            }
            let approval = try request.approval.map { (word) throws(Failure) in try self.approval(word) }
            let decision = rules.question(
                of: change, approval: approval, revision: PolicyRevision(digest: policy.revision.array)
            ).decision
            guard decision.definition != .base || change.base.commit != nil else {
                throw Failure(.invalid, "nobody has asked what it is based on", place: "base")
            }
            return Work(
                commit: commit, reference: .branch(change.base.branch), decision: decision,
                definition: decision.definition == .base ? change.base.commit : nil,
                subject: Self.subject(change.author, rules))
        default: throw Failure(.invalid, "nothing runs for it", place: "delivery")
        }
    }

    /// With the base that courierd was told of, where the delivery has none.
    func based(_ change: Change, on word: BaseWord?, _ project: String) throws(Failure) -> Change {
        guard let word else { return change }
        try check(word, place: "base")
        guard word.project == project, change.isMeant(by: word) else {
            throw Failure(.conflict, "of another change, or it has other commits or another branch now", place: "base")
        }
        return change.based(on: word)
    }

    /// What the project says, or what courierd has read of a file at the right commit.
    private func checkDefinition(
        _ request: BrokerEdge.VouchEvent, _ policy: Policy, _ work: Work
    ) throws(Failure) {
        guard let job = policy.jobs.first(where: { $0.name == request.job }) else {
            throw Failure(.notFound, "the project has no job '\(request.job)'", place: "job")
        }
        guard request.definition.project == policy.project else {
            throw Failure(.invalid, "of another project", place: "definition.project")
        }
        try checkSource(request, policy, job, work)
        var bare = request.definition
        bare.source = nil
        let hash = try Self.hash(bare)
        if let wanted = job.definition {
            guard hash == wanted else { throw Failure(.invalid, "not the project's job", place: "definition") }
            return
        }
        guard let word = request.file else { throw Failure(.invalid, "nobody has read its file", place: "file") }
        try check(word, place: "file")
        // The right file, and what the project says beside it, where the rules read it. A branch courierd looks up.
        guard word.project == policy.project, word.job == request.job, word.rule == job.file, word.definition == hash,
            work.definition.map({ $0.hex == word.commit })
                ?? (Reference.branch(word.branch) == .branch(policy.defaultBranch))
        else { throw Failure(.invalid, "the file that was read is another one", place: "file") }
    }

    /// A job runs over the commit that it is trusted for, as courierd has fetched it, or over none.
    private func checkSource(
        _ request: BrokerEdge.VouchEvent, _ policy: Policy, _ job: PolicyJob, _ work: Work
    ) throws(Failure) {
        guard job.checkout == (request.definition.source != nil) else {
            throw Failure(.invalid, "the project's job has \(job.checkout ? "a" : "no") source", place: "source")
        }
        guard let source = request.definition.source else { return }
        guard let word = request.source else { throw Failure(.invalid, "nobody has fetched it", place: "source") }
        try check(word, place: "source")
        guard word.project == policy.project, word.commit == work.commit.hex, word.source == source else {
            throw Failure(.invalid, "the source is not that of the commit", place: "source")
        }
    }

    /// Those that its steps name; throws if one of them may not be there.
    private func secrets(
        _ request: BrokerEdge.VouchEvent, _ rules: ProjectRules, _ work: Work
    ) throws(Failure) -> [String] {
        let named = Set(request.definition.spec.steps.flatMap(\.secrets).map(\.name)).subtracting([GrantFormat.jobToken]
        )
        let given = rules.secrets(for: work.decision, at: work.reference)
        for name in named.sorted() {
            guard given.contains(name), ForgeSecret(rawValue: name) == nil else {
                throw Failure(.deniedByPolicy, "secret '\(name)' is not there for this event", place: "secrets")
            }
            guard content.secret(rules.name, name) != nil else {
                throw Failure(
                    .notFound,
                    "project '\(rules.name)' has no secret '\(name)'; set it (`bulkhead secret set \(rules.name) "
                        + "\(name)`)", place: "secrets")
            }
        }
        return named.sorted()
    }

    /// By the forge's number where there is one: names change hands.
    private static func subject(_ account: Account, _ rules: ProjectRules) -> String {
        "\(rules.forge.kind):\(account.id)"
    }

    static func hash(_ definition: JobDefinition) throws(Failure) -> Bytes32 {
        do { return try Hashes.definition(definition) } catch { throw Failure(encoding: error, place: "definition") }
    }
}
