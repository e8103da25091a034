// Project: a repository of a forge, and what may run for it. ProjectFile reads it; Project+Plan and Trust decide by it.

package import ForgeModel
package import JobModel

/// What the people of a project have laid down. Templates and environments are written out in it: it says what holds,
/// not how that was written.
package struct Project: Equatable, Sendable {
    package var name: String
    package var forge: Forge
    package var repository: RepositoryName
    package var defaultBranch: String
    package var protectedBranches: [Glob] = []
    package var protectedTags: [Glob] = []
    package var pullRequests = PullRequests()
    /// By name.
    package var secrets: [SecretRule] = []
    package var jobs: [ProjectJob] = []

    package init(name: String, forge: Forge, repository: RepositoryName, defaultBranch: String = "main") {
        self.name = name
        self.forge = forge
        self.repository = repository
        self.defaultBranch = defaultBranch
    }

    /// Where the project's own rules are made: whoever can write there is trusted. The default branch always is.
    package func isProtected(_ reference: Reference) -> Bool {
        switch reference {
        // Scalar by scalar: another branch may look the same.
        case .branch(let name):
            Glob.same(name, defaultBranch) || protectedBranches.contains { $0.matches(name) }
        case .tag(let name): protectedTags.contains { $0.matches(name) }
        }
    }

    /// The number counts where the project has one: names change hands.
    package func owns(_ repository: Repository) -> Bool {
        if let id = self.repository.id { return id == repository.id }
        return self.repository.path.map { Glob.same($0, repository.path) } ?? false
    }
}

extension Project {
    package struct Forge: Equatable, Sendable {
        package enum Kind: String, CaseIterable, Sendable {
            case github
            case gitlab
            case gitea
            case forgejo
        }

        package var kind: Kind
        /// Without a slash at its end.
        package var url: String

        package init(kind: Kind, url: String) {
            self.kind = kind
            self.url = url
        }
    }

    /// How the repository is recognised: by the forge's number, by `owner/name`, or both.
    package struct RepositoryName: Equatable, Sendable {
        package var id: UInt64?
        package var path: String?

        package init(id: UInt64? = nil, path: String? = nil) {
            self.id = id
            self.path = path
        }
    }

    /// What holds for changes (pull requests, merge requests).
    package struct PullRequests: Equatable, Sendable {
        /// Which changes wait until somebody approves them.
        package enum Approval: String, CaseIterable, Sendable {
            case none
            case forks
            case all
        }

        /// How far a change from a branch of the project's own repository is trusted while nobody has approved it:
        /// whoever made it may write there.
        package enum Trust: String, CaseIterable, Sendable {
            case untrusted
            case approved
        }

        package var trust = Trust.untrusted
        package var approval = Approval.forks
        /// Whose changes never wait. They are not trusted any further for that.
        package var allowedUsers: [User] = []

        package init() {}
    }

    /// An account of the forge in a file: its number, which is sure, or its name.
    package enum User: Hashable, Sendable {
        case id(UInt64)
        case name(String)

        var isNamed: Bool { if case .name = self { true } else { false } }

        func isAccount(_ account: Account) -> Bool {
            switch self {
            case .id(let id): id == account.id
            case .name(let name): Glob.same(name, account.name)
            }
        }
    }

    /// For which commits a secret is there.
    package struct SecretRule: Equatable, Sendable {
        package enum Refs: Equatable, Sendable {
            case protected
            case listed(branches: [Glob], tags: [Glob])
        }

        /// The least that is trusted with it. Nothing untrusted ever is.
        package enum Trust: String, CaseIterable, Sendable {
            case trusted
            case approved
        }

        package var name: String
        /// Where commits were pushed to; of a change, where it is to go.
        package var refs = Refs.protected
        package var trust = Trust.trusted

        package init(name: String) { self.name = name }
    }
}

extension Glob {
    /// The same bytes. `==` on texts calls some equal that git and forges do not.
    static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}

/// One job of a project: for which events, and what.
package struct ProjectJob: Equatable, Sendable {
    package enum Trigger: String, CaseIterable, Sendable {
        case push
        case tag
        case pullRequest = "pull_request"
    }

    package enum Definition: Equatable, Sendable {
        /// In the project itself.
        case written(JobFile)
        /// A job file in the repository.
        case file(CIFile)
    }

    /// A job file at a path of the repository, and what the project says beside it.
    package struct CIFile: Equatable, Sendable {
        package var path: String
        /// Seconds.
        package var timeout: UInt32?
        package var priority: UInt8?
        package var retries: UInt8?
        package var env: [JobFile.Variable] = []

        package init(path: String) { self.path = path }
    }

    package var name: String
    /// In the order of their declaration, each once.
    package var events: [Trigger] = [.push, .pullRequest]
    /// Of a push the branch, of a change the branch where it is to go.
    package var branches = Patterns()
    package var gitTags = Patterns()
    /// Of the files that changed.
    package var paths = Patterns()
    package var definition: Definition

    package init(name: String, definition: Definition) {
        self.name = name
        self.definition = definition
    }
}
