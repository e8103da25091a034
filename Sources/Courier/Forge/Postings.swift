// Postings: what we say at a forge. Texts may come from job files, which strangers write; forges show them as they are.

package import ForgeModel

/// How far something has come.
package enum PostedState: String, Equatable, Sendable, CaseIterable {
    case pending
    case running
    case success
    case failure
    /// It could not be run, or its runner was lost.
    case error
    case cancelled
    case timedOut
    /// It does not apply, which is nobody's fault and holds nothing up.
    case skipped

    package var isOver: Bool { self != .pending && self != .running }
}

package struct CommitStatus: Equatable, Sendable {
    package let commit: Commit
    /// The branch or the tag, where the forge wants to know: GitLab has a pipeline for each.
    package let reference: Reference?
    /// What it is the status of; the newest of a name counts.
    package let context: String
    package let state: PostedState
    package let description: String
    package let link: String?

    package init(
        commit: Commit, reference: Reference? = nil, context: String, state: PostedState, description: String,
        link: String? = nil
    ) {
        self.commit = commit
        self.reference = reference
        self.context = context
        self.state = state
        self.description = description
        self.link = link
    }
}

package struct CheckRun: Equatable, Sendable {
    /// A button beside the check; its identifier comes back in a delivery.
    package struct Button: Equatable, Sendable {
        package let label: String
        package let description: String
        package let identifier: String

        package init(label: String, description: String, identifier: String) {
            self.label = label
            self.description = description
            self.identifier = identifier
        }
    }

    package let commit: Commit
    package let name: String
    /// Our own name for it, by which it is found again; it comes back with its buttons.
    package let externalID: String
    package let state: PostedState
    /// Instead of a verdict: somebody has to press a button first.
    package let needsApproval: Bool
    package let title: String
    package let summary: String
    package let link: String?
    /// Three at most.
    package let buttons: [Button]

    package init(
        commit: Commit, name: String, externalID: String, state: PostedState,
        needsApproval: Bool = false, title: String, summary: String, link: String? = nil, buttons: [Button] = []
    ) {
        self.commit = commit
        self.name = name
        self.externalID = externalID
        self.state = state
        self.needsApproval = needsApproval
        self.title = title
        self.summary = summary
        self.link = link
        self.buttons = buttons
    }
}

/// One comment below a change that is written once and then rewritten.
package struct RollingComment: Equatable, Sendable {
    package let change: UInt64
    /// `[a-z0-9-]{1,64}`: which of our comments it is. It stands in the first line, where a reader does not see it.
    package let name: String
    /// Who we are there, which is asked for first if it is nil. Anybody can write our first line, and a comment that is
    /// not ours is not to be edited.
    package let author: Account?
    /// Its number, if somebody remembers it.
    package let id: UInt64?
    package let body: String

    package init(change: UInt64, name: String, author: Account?, id: UInt64? = nil, body: String) {
        self.change = change
        self.name = name
        self.author = author
        self.id = id
        self.body = body
    }

    func by(_ author: Account) -> RollingComment {
        RollingComment(change: change, name: name, author: author, id: id, body: body)
    }

    package var marker: String { "<!-- bulkhead:\(name) -->" }
    package var text: String { marker + "\n" + body }

    /// Whether a comment is this one, by its author and its first line.
    func isThis(_ found: FoundComment) -> Bool {
        guard let author, found.author == author.id, author.id != 0 else { return false }
        let bytes = found.body.utf8
        guard bytes.starts(with: marker.utf8) else { return false }
        let next = bytes.dropFirst(marker.utf8.count).first
        return next == nil || next == 0x0A || next == 0x0D
    }
}
