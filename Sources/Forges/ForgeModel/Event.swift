// Event: what a forge says has happened, in words that are the same for every forge. The parsers of the forges make
// one from a delivery whose signature was verified; what may run for it is decided by others.
//
// Every text in it was written by a stranger. It is data: never part of a command, a path or a name.

/// What a delivery says.
package enum Event: Equatable, Sendable {
    case push(Push)
    case change(Change)
    case comment(Comment)
    case button(Button)
    /// A job or a pipeline of the forge's own has changed: a reason to ask the forge for work, and no more.
    case hint(Hint)
    /// Well formed, and nothing that anything here is for. The text says what it was.
    case other(String)
}

/// A repository as its forge knows it. The number is what counts; names change hands.
package struct Repository: Equatable, Sendable {
    package let id: UInt64
    /// `owner/name`, or a GitLab project's whole path.
    package let path: String

    package init(id: UInt64, path: String) {
        self.id = id
        self.path = path
    }
}

/// An account at the forge.
package struct Account: Equatable, Sendable {
    /// 0 for Gitea's own accounts, which have none.
    package let id: UInt64
    /// Empty where a delivery has only the number: GitLab names nobody but who acts.
    package let name: String

    package init(id: UInt64, name: String) {
        self.id = id
        self.name = name
    }
}

/// What an account may do in a repository, as its forge says when it is asked.
package enum Permission: Int, CaseIterable, Comparable, Sendable {
    case none
    case read
    case write
    case admin

    package static func < (left: Permission, right: Permission) -> Bool { left.rawValue < right.rawValue }
}

/// A full object name of git: 40 or 64 lowercase hex digits.
package struct Commit: Hashable, Sendable {
    package let hex: String

    /// Nil unless it is one. A run of zeros is how forges say that there is none; that is nil too.
    package init?(_ hex: String) {
        let digits = hex.utf8
        guard digits.count == 40 || digits.count == 64,
            digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            digits.contains(where: { $0 != 0x30 })
        else { return nil }
        self.hex = hex
    }
}

/// A branch or a tag, without `refs/heads/` or `refs/tags/`.
package enum Reference: Hashable, Sendable {
    case branch(String)
    case tag(String)

    private var bytes: (isTag: Bool, name: String.UTF8View) {
        switch self {
        case .branch(let name): (false, name.utf8)
        case .tag(let name): (true, name.utf8)
        }
    }

    /// By bytes: git has two branches where Swift sees one text, `é` in one scalar and in two.
    package static func == (one: Reference, other: Reference) -> Bool {
        one.bytes.isTag == other.bytes.isTag && one.bytes.name.elementsEqual(other.bytes.name)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(bytes.isTag)
        for byte in bytes.name { hasher.combine(byte) }
    }
}

/// Commits arrived on a branch, or a tag was made; also that one was removed.
package struct Push: Equatable, Sendable {
    package let repository: Repository
    package let reference: Reference
    /// Nil if the reference is new.
    package let before: Commit?
    /// Nil if the reference was removed.
    package let after: Commit?
    package let sender: Account

    package init(
        repository: Repository, reference: Reference, before: Commit?, after: Commit?, sender: Account
    ) {
        self.repository = repository
        self.reference = reference
        self.before = before
        self.after = after
        self.sender = sender
    }
}

/// A pull request or a merge request.
package struct Change: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case opened
        case reopened
        /// New commits, or another base.
        case updated
        case closed
        case merged
        /// Labels, titles, reviews: nothing that changes what is tested.
        case other(String)
    }

    /// One end of a change.
    package struct Side: Equatable, Sendable {
        /// Nil when the forge no longer has it: a fork that was deleted.
        package let repository: Repository?
        package let branch: String
        /// Nil where the delivery does not say: GitLab names no commit of the target branch.
        package let commit: Commit?

        package init(repository: Repository?, branch: String, commit: Commit?) {
            self.repository = repository
            self.branch = branch
            self.commit = commit
        }
    }

    /// Where the change is to go: the project's own repository.
    package let repository: Repository
    package let number: UInt64
    package let action: Action
    package let head: Side
    package let base: Side
    package let author: Account
    package let sender: Account
    package let isDraft: Bool

    package init(
        repository: Repository, number: UInt64, action: Action, head: Side, base: Side, author: Account,
        sender: Account, isDraft: Bool
    ) {
        self.repository = repository
        self.number = number
        self.action = action
        self.head = head
        self.base = base
        self.author = author
        self.sender = sender
        self.isDraft = isDraft
    }

    /// From another repository, or from one that nobody can name any more. Nothing else counts: whoever is a member
    /// can open a change from a fork.
    package var isFork: Bool { head.repository?.id != repository.id }

    package func goes(into branch: String) -> Bool { Reference.branch(base.branch) == .branch(branch) }
}

/// Somebody wrote below a change.
package struct Comment: Equatable, Sendable {
    package let repository: Repository
    package let number: UInt64
    package let author: Account
    package let isByBot: Bool
    /// Edited and deleted comments are told too; they are no commands.
    package let isNew: Bool
    /// Where the change was to go; nil where the delivery does not say it.
    package let branch: String?
    package let body: String

    package init(
        repository: Repository, number: UInt64, author: Account, isByBot: Bool, isNew: Bool, branch: String?,
        body: String
    ) {
        self.repository = repository
        self.number = number
        self.author = author
        self.isByBot = isByBot
        self.isNew = isNew
        self.branch = branch
        self.body = body
    }
}

/// Somebody pressed a button that a check run of ours offered.
package struct Button: Equatable, Sendable {
    package let repository: Repository
    package let identifier: String
    package let head: Commit
    /// What the check run is about; nil for one that does not say it.
    package let tag: CheckTag?
    /// Whose check run it is: an app's client ID, and its number.
    package let app: [String]
    package let sender: Account

    package init(
        repository: Repository, identifier: String, head: Commit, tag: CheckTag?, app: [String], sender: Account
    ) {
        self.repository = repository
        self.identifier = identifier
        self.head = head
        self.tag = tag
        self.app = app
        self.sender = sender
    }
}

/// A job or pipeline hook of GitLab.
package struct Hint: Equatable, Sendable {
    package let repository: Repository
    /// The forge's word: pending, running, success, ...
    package let status: String

    package init(repository: Repository, status: String) {
        self.repository = repository
        self.status = status
    }
}
