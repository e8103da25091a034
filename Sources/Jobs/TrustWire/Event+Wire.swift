// Event+Wire: what a forge says has happened, in the words of the wire. brokerd writes it into its word on a delivery;
// brokerd and schedulerd read it there again.

package import ForgeModel
package import TrustModel
package import Wire

extension ForgeEvent {
    package init(_ event: Event) {
        self =
            switch event {
            case .push(let push): .push(push.wire)
            case .change(let change): .change(change.wire)
            case .comment(let comment):
                switch ApprovalCommand(comment) {
                case .approve(let request): .approval(request.wire)
                case .mistake(let text): .idle(IdleEvent(what: text))
                case .none: .idle(IdleEvent(what: "a comment"))
                }
            case .button(let button):
                ApprovalRequest(button).map { .approval($0.wire) } ?? .idle(IdleEvent(what: "a button"))
            case .hint(let hint): .hint(HintEvent(repository: hint.repository.wire, status: hint.status))
            case .other(let what): .idle(IdleEvent(what: what))
            }
    }

    /// The repository of the project, if it is about one.
    package var repository: Repository? {
        switch self {
        case .push(let push): Repository(push.repository)
        case .change(let change): Repository(change.repository)
        case .approval(let approval): Repository(approval.repository)
        case .hint(let hint): Repository(hint.repository)
        case .idle: nil
        }
    }

    /// Commits that arrived, or a change; nil for everything else.
    package var event: Event? {
        switch self {
        case .push(let push): .push(Push(push))
        case .change(let change): .change(Change(change))
        case .approval, .hint, .idle: nil
        }
    }

    package var approvalRequest: ApprovalRequest? {
        guard case .approval(let approval) = self, let head = Commit(approval.head) else { return nil }
        return ApprovalRequest(
            repository: Repository(approval.repository), number: approval.number == 0 ? nil : approval.number,
            head: head, branch: approval.branch.isEmpty ? nil : approval.branch, by: Account(approval.by))
    }
}

extension Repository {
    package init(_ repository: ForgeRepository) { self.init(id: repository.id, path: repository.path) }
    package var wire: ForgeRepository { ForgeRepository(id: id, path: path) }
}

extension Account {
    package init(_ account: ForgeAccount) { self.init(id: account.id, name: account.name) }
    package var wire: ForgeAccount { ForgeAccount(id: id, name: name) }
}

extension Reference {
    package init(_ reference: GitReference) { self = reference.tag ? .tag(reference.name) : .branch(reference.name) }

    package var wire: GitReference {
        switch self {
        case .branch(let name): GitReference(tag: false, name: name)
        case .tag(let name): GitReference(tag: true, name: name)
        }
    }
}

extension Push {
    package init(_ push: PushEvent) {
        self.init(
            repository: Repository(push.repository), reference: Reference(push.reference), before: Commit(push.before),
            after: Commit(push.after), sender: Account(push.sender))
    }

    fileprivate var wire: PushEvent {
        PushEvent(
            repository: repository.wire, reference: reference.wire, before: before?.hex ?? "", after: after?.hex ?? "",
            sender: sender.wire)
    }
}

extension Change {
    package init(_ change: ChangeEvent) {
        self.init(
            repository: Repository(change.repository), number: change.number, action: Action(change.action),
            head: Side(change.head), base: Side(change.base), author: Account(change.author),
            sender: Account(change.sender), isDraft: change.draft)
    }

    package var wire: ChangeEvent {
        ChangeEvent(
            repository: repository.wire, number: number, action: action.wire, head: head.wire, base: base.wire,
            author: author.wire, sender: sender.wire, draft: isDraft)
    }

    /// Said of this change as it is here.
    package func isMeant(by word: BaseWord) -> Bool {
        word.number == number && word.head == head.commit?.hex && goes(into: word.branch)
    }

    /// The same change, with the commit of its base where the delivery did not say it.
    package func based(on word: BaseWord?) -> Change {
        guard base.commit == nil, let word, isMeant(by: word), let commit = Commit(word.commit) else { return self }
        return Change(
            repository: repository, number: number, action: action, head: head,
            base: Side(repository: base.repository, branch: base.branch, commit: commit), author: author,
            sender: sender, isDraft: isDraft)
    }
}

extension Change.Action {
    fileprivate init(_ action: ChangeAction) {
        self =
            switch action {
            case .opened: .opened
            case .reopened: .reopened
            case .updated: .updated
            case .closed: .closed
            case .merged: .merged
            case .other: .other("")
            }
    }

    fileprivate var wire: ChangeAction {
        switch self {
        case .opened: .opened
        case .reopened: .reopened
        case .updated: .updated
        case .closed: .closed
        case .merged: .merged
        case .other: .other
        }
    }
}

extension Change.Side {
    fileprivate init(_ side: ChangeSide) {
        self.init(repository: side.repository.map { Repository($0) }, branch: side.branch, commit: Commit(side.commit))
    }

    fileprivate var wire: ChangeSide {
        ChangeSide(repository: repository?.wire, branch: branch, commit: commit?.hex ?? "")
    }
}

extension ApprovalRequest {
    fileprivate var wire: ApprovalEvent {
        ApprovalEvent(
            repository: repository.wire, number: number ?? 0, head: head.hex, branch: branch ?? "", by: by.wire)
    }
}
