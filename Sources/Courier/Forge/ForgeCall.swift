// ForgeCall: what may be asked of a forge, in words that are the same for all of them, and what comes of it.

package import Exchange
package import ForgeModel

package enum ForgeCall: Equatable, Sendable {
    /// Who the token is.
    case account
    /// A repository of which the number or the path is known.
    case repository(Repository)
    case postStatus(Repository, CommitStatus)
    /// Apps only: written anew, or made.
    case keepCheck(Repository, CheckRun)
    /// Where the app is installed that the token is a statement of, and a token for this repository alone.
    case installationToken(Repository)
    case keepComment(Repository, RollingComment)
    case permission(Repository, Account)
    case change(Repository, number: UInt64)
    /// `head`: of which commits of the change; if it has others by then, the list is not complete.
    case changedFiles(Repository, number: UInt64, head: Commit? = nil)
    /// What differs between two commits.
    case comparison(Repository, base: Commit, head: Commit)
    /// Where a branch is now.
    case branch(Repository, name: String)
    /// What is new since then; nil: nothing is, and what there is is remembered.
    case news(Repository, since: NewsCursor?)
    /// At exactly this commit; `path` is relative to the root, without `.` and `..`.
    case file(Repository, path: String, Commit)
    /// The tree of exactly this commit, as tar.gz with one top folder, poured into a sink.
    case archive(Repository, Commit)
    /// What the token may not do; `branch` is the default one.
    case survey(Repository, branch: String)
}

extension Repository {
    /// Stands for a path that is not known, as 0 does for a number: no forge has such a one.
    package static var unknownPath: String { "-" }
}

extension ForgeCall {
    /// The same of this repository.
    func of(_ repository: Repository) -> ForgeCall {
        switch self {
        case .account: self
        case .repository: .repository(repository)
        case .postStatus(_, let status): .postStatus(repository, status)
        case .keepCheck(_, let check): .keepCheck(repository, check)
        case .installationToken: .installationToken(repository)
        case .keepComment(_, let comment): .keepComment(repository, comment)
        case .permission(_, let account): .permission(repository, account)
        case .change(_, let number): .change(repository, number: number)
        case .changedFiles(_, let number, let head): .changedFiles(repository, number: number, head: head)
        case .comparison(_, let base, let head): .comparison(repository, base: base, head: head)
        case .branch(_, let name): .branch(repository, name: name)
        case .news(_, let cursor): .news(repository, since: cursor)
        case .file(_, let path, let commit): .file(repository, path: path, commit)
        case .archive(_, let commit): .archive(repository, commit)
        case .survey(_, let branch): .survey(repository, branch: branch)
        }
    }
}

package enum ForgeResult: Equatable, Sendable {
    case account(Account)
    case repository(Repository)
    case posted
    /// As whom, and the token, which holds for an hour.
    case installationToken(Installation, SecretText)
    /// The comment's number, for the next word in it.
    case comment(UInt64)
    case permission(Permission)
    case change(ChangeState)
    case changedFiles(ChangedFiles)
    case commit(Commit)
    case news(News)
    case file([UInt8])
    case archive
    case surveyed([FoundLack])
}

/// A pull or merge request as it is now.
package struct ChangeState: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case open
        case closed
        case merged
    }

    package struct Side: Equatable, Sendable {
        /// Nil when the forge no longer has it: a fork that was deleted.
        package let repository: UInt64?
        /// Nil where the forge says the number only: GitLab's source.
        package let path: String?
        package let branch: String
        /// Nil where the forge has not come to it yet: GitLab's base, a moment after a push.
        package let commit: Commit?

        package init(repository: UInt64?, path: String? = nil, branch: String, commit: Commit?) {
            self.repository = repository
            self.path = path
            self.branch = branch
            self.commit = commit
        }
    }

    package let number: UInt64
    package let state: State
    package let isDraft: Bool
    package let author: Account
    package let head: Side
    /// The branch to which it is to go, and where that was when the forge last compared the two.
    package let base: Side

    package init(number: UInt64, state: State, isDraft: Bool, author: Account, head: Side, base: Side) {
        self.number = number
        self.state = state
        self.isDraft = isDraft
        self.author = author
        self.head = head
        self.base = base
    }
}

/// The paths that a change touches, old names included. They belong to whatever its head was when they were asked for:
/// who needs them for one commit asks for the change again afterwards.
package struct ChangedFiles: Equatable, Sendable {
    package let paths: [String]
    /// False: there are more, and whoever decides by paths decides as if all were touched.
    package let isComplete: Bool

    package init(paths: [String], isComplete: Bool) {
        self.paths = paths
        self.isComplete = isComplete
    }
}
