// Approval: somebody who may write to the repository has looked at exactly these commits of a change into exactly this
// branch, under exactly these rules. It holds for nothing else, and any push and any other branch ends it.

package import ForgeModel

package struct Approval: Equatable, Sendable {
    package let project: String
    /// Of the change.
    package let number: UInt64
    package let head: Commit
    package let base: Commit
    /// Where the change is to go.
    package let branch: String
    package let revision: PolicyRevision
    package let by: Account

    package init(
        project: String, number: UInt64, head: Commit, base: Commit, branch: String, revision: PolicyRevision,
        by: Account
    ) {
        self.project = project
        self.number = number
        self.head = head
        self.base = base
        self.branch = branch
        self.revision = revision
        self.by = by
    }

    package func standing(for change: Change, of project: ProjectRules, _ revision: PolicyRevision) -> ApprovalStanding
    {
        // Nil is equal to no commit.
        if self.project != project.name || !project.owns(change.repository) { return .otherProject }
        if number != change.number { return .otherChange }
        if head != change.head.commit { return .otherHead }
        if base != change.base.commit || !change.goes(into: branch) { return .otherBase }
        return self.revision == revision ? .valid : .otherPolicy
    }

    /// Is it still there after this news of its change? New commits end it for good, also where they are taken back.
    package func survives(_ change: Change) -> Bool {
        guard change.number == number else { return true }
        switch change.action {
        case .opened, .other:
            return change.head.commit == head && (change.base.commit ?? base) == base && change.goes(into: branch)
        case .updated, .reopened, .closed, .merged: return false
        }
    }
}

/// What an approval says about the change at hand.
package enum ApprovalStanding: String, CaseIterable, Sendable {
    /// There is none.
    case none
    case valid
    case otherProject = "of another project"
    case otherChange = "of another change"
    case otherHead = "of another head"
    /// Another commit or another branch; or the commit is not known: then it has to be asked for first.
    case otherBase = "of another base"
    case otherPolicy = "under other rules"
}

/// Somebody wants to approve a change.
package struct ApprovalRequest: Equatable, Sendable {
    /// In which repository that was said.
    package let repository: Repository
    /// Nil where it is not said.
    package let number: UInt64?
    package let head: Commit
    /// Where the change is to go. Nil: neither he nor the delivery says it, and the forge has to be asked.
    package let branch: String?
    package let by: Account

    package init(repository: Repository, number: UInt64?, head: Commit, branch: String?, by: Account) {
        self.repository = repository
        self.number = number
        self.head = head
        self.branch = branch
        self.by = by
    }

    /// The identifier of our button.
    package static let button = "approve"

    /// Nil for a button of somebody else's, and for one that does not say which change it is of and where that goes.
    package init?(_ button: Button) {
        guard button.identifier == Self.button, let tag = button.tag else { return nil }
        self.init(
            repository: button.repository, number: tag.number, head: button.head, branch: tag.branch, by: button.sender)
    }
}

/// Why a request approves nothing.
package enum ApprovalRefusal: String, Error, CaseIterable, Sendable {
    case noSuchChange = "there is no such change"
    case closed = "the change is closed"
    case notTheHead = "these are not the change's commits, or no longer"
    case otherBranch = "the change is to go into another branch, or into another one by now"
    case unknownBase = "it is not known what the change is based on; ask the forge first"
    case byAuthor = "nobody approves a change of his own"
    case permissionUnknown = "the forge did not say what you may do; try again"
    case mayNotWrite = "only who may write to the repository approves"
}

extension ApprovalRequest {
    /// The approval, if all is as it has to be. `change`: as it is now; nil if there is none by that number, as below
    /// an issue. `permission`: of whoever asks, from the forge, now; nil if it did not answer.
    package func approval(
        of change: Change?, in project: ProjectRules, _ revision: PolicyRevision, permission: Permission?
    ) throws(ApprovalRefusal) -> Approval {
        guard let change, project.owns(repository), repository.id == change.repository.id,
            number == nil || number == change.number
        else { throw .noSuchChange }
        guard change.action != .closed && change.action != .merged else { throw .closed }
        guard change.head.commit == head else { throw .notTheHead }
        guard change.goes(into: branch ?? change.base.branch) else { throw .otherBranch }
        guard let base = change.base.commit else { throw .unknownBase }
        guard by.id != change.author.id else { throw .byAuthor }
        guard let permission else { throw .permissionUnknown }
        guard permission >= .write else { throw .mayNotWrite }
        return Approval(
            project: project.name, number: change.number, head: head, base: base, branch: change.base.branch,
            revision: revision, by: by)
    }
}
