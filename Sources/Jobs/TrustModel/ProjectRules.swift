// ProjectRules: the part of a project on which trust depends. brokerd keeps it, under seal, and decides by it; the rest
// of a project, its jobs, is schedulerd's.

package import ForgeModel

/// What the people of a project have laid down about trust: where it is, what is protected, whose changes wait, and
/// which secrets are there for what.
package struct ProjectRules: Equatable, Sendable {
    package var name: String
    package var forge: Forge
    package var repository: RepositoryName
    package var defaultBranch: String
    package var protectedBranches: [Glob] = []
    package var protectedTags: [Glob] = []
    package var pullRequests = PullRequests()
    /// By name.
    package var secrets: [SecretRule] = []

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

extension ProjectRules {
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
        /// The client ID (or the number) of the GitHub App in whose name we are there; nil: in that of a token's.
        package var app: String?

        package init(kind: Kind, url: String, app: String? = nil) {
            self.kind = kind
            self.url = url
            self.app = app
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

        package var isNamed: Bool { if case .name = self { true } else { false } }

        package func isAccount(_ account: Account) -> Bool {
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
    package static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
