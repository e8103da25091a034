// Trust: the one place that says how far an event's commits are trusted, whether their jobs wait, whose definition
// runs, and which secrets are there. docs/trust-table.md is made from this function.

package import ForgeModel

/// How far the author of commits is trusted. The words of the wire's `Trust`.
package enum TrustClass: String, CaseIterable, Sendable {
    /// The commits are on a protected branch or tag.
    case trusted
    /// Somebody who may write to the repository vouches for exactly these commits: by an approval, or by having pushed
    /// them there.
    case approved
    case untrusted
}

/// All that trust depends on. Nothing of it is a text of a stranger, and none of it is what a forge says of an
/// author's past.
package struct TrustQuestion: Hashable, Sendable {
    package enum Origin: String, CaseIterable, Sendable {
        case branch = "push"
        case tag
        /// From a branch of the project's own repository.
        case ownChange = "change"
        case forkChange = "change of a fork"
        /// From a repository that nobody can name any more.
        case lostChange = "change of a fork that is gone"
    }

    package var origin: Origin
    /// Where the commits are; of a change, where they are to go.
    package var isProtected: Bool
    package var approval: ApprovalStanding
    /// Its author and whoever sent the event are among `allowed_users`.
    package var isAllowed: Bool
    package var wants: ProjectRules.PullRequests.Approval
    package var ownBranches: ProjectRules.PullRequests.Trust

    package init(
        origin: Origin, isProtected: Bool, approval: ApprovalStanding, isAllowed: Bool,
        wants: ProjectRules.PullRequests.Approval, ownBranches: ProjectRules.PullRequests.Trust
    ) {
        self.origin = origin
        self.isProtected = isProtected
        self.approval = approval
        self.isAllowed = isAllowed
        self.wants = wants
        self.ownBranches = ownBranches
    }
}

package struct TrustDecision: Hashable, Sendable {
    /// Where job files are read.
    package enum Definition: String, CaseIterable, Sendable {
        /// In the commits themselves.
        case itself = "the commit itself"
        /// At the commit of the branch where the change is to go.
        case base = "the base"
        case defaultBranch = "the default branch"
    }

    package let trust: TrustClass
    /// Waits until somebody approves it.
    package let isHeld: Bool
    package let definition: Definition

    /// May a secret with such a rule be there? `admitsRef`: the rule's refs are these.
    package func gives(_ rule: ProjectRules.SecretRule.Trust, admitsRef: Bool) -> Bool {
        guard admitsRef, !isHeld else { return false }
        return switch (trust, rule) {
        case (.trusted, _), (.approved, .approved): true
        case (.approved, .trusted), (.untrusted, _): false
        }
    }
}

extension TrustQuestion {
    package var decision: TrustDecision {
        let isApproved: Bool
        let waits: Bool
        switch origin {
        case .branch, .tag:
            // Whoever may write pushed it; only where a branch is protected somebody has looked at it, too.
            return isProtected
                ? TrustDecision(trust: .trusted, isHeld: false, definition: .itself)
                : TrustDecision(trust: .approved, isHeld: false, definition: .defaultBranch)
        case .ownChange:
            isApproved = approval == .valid || ownBranches == .approved
            waits = wants == .all
        case .forkChange, .lostChange:
            isApproved = approval == .valid
            waits = wants != .none
        }
        let isHeld = waits && approval != .valid && !isAllowed
        // A change is never more than approved: what it does is on no protected branch yet.
        return TrustDecision(
            trust: isApproved && !isHeld ? .approved : .untrusted, isHeld: isHeld,
            definition: isProtected ? .base : .defaultBranch)
    }
}

extension ProjectRules {
    /// What trust depends on, for commits that were pushed.
    package func question(of push: Push) -> TrustQuestion {
        TrustQuestion(
            origin: push.reference.isTag ? .tag : .branch, isProtected: isProtected(push.reference), approval: .none,
            isAllowed: false, wants: pullRequests.approval, ownBranches: pullRequests.trust)
    }

    /// The same of a change. What a forge thinks of its author counts nowhere.
    package func question(of change: Change, approval: Approval?, revision: PolicyRevision) -> TrustQuestion {
        func isAllowed(_ account: Account) -> Bool { pullRequests.allowedUsers.contains { $0.isAccount(account) } }
        let origin: TrustQuestion.Origin =
            change.head.repository == nil ? .lostChange : change.isFork ? .forkChange : .ownChange
        return TrustQuestion(
            origin: origin, isProtected: isProtected(.branch(change.base.branch)),
            approval: approval?.standing(for: change, of: self, revision) ?? .none,
            // Others may push to the branch of somebody who is allowed.
            isAllowed: isAllowed(change.author) && isAllowed(change.sender), wants: pullRequests.approval,
            ownBranches: pullRequests.trust)
    }

    /// The names of the secrets that may be there for commits at this branch or tag.
    package func secrets(for decision: TrustDecision, at reference: Reference) -> [String] {
        secrets.filter { decision.gives($0.trust, admitsRef: admits($0.refs, reference)) }.map(\.name)
    }

    private func admits(_ refs: SecretRule.Refs, _ reference: Reference) -> Bool {
        switch (refs, reference) {
        case (.protected, _): isProtected(reference)
        case (.listed(let branches, _), .branch(let name)): branches.contains { $0.matches(name) }
        case (.listed(_, let tags), .tag(let name)): tags.contains { $0.matches(name) }
        }
    }
}

extension Reference {
    var isTag: Bool { if case .tag = self { true } else { false } }
}
