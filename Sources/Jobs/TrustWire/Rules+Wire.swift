// Rules+Wire: a project's rules in the words of the wire. The CLI seals them into an order, and brokerd keeps them.

package import TrustModel
package import Wire

extension ProjectRules {
    /// `jobs`: by name, with the hash of each definition that stands in the project itself. `runner`: the hash of its
    /// RunnerRule.
    package func policy(jobs: [PolicyJob], runner: Bytes32?, revision: Bytes32) -> Policy {
        Policy(
            project: name, forge: forge.kind.wire, url: forge.url, app: forge.app, repositoryId: repository.id,
            repositoryPath: repository.path, defaultBranch: defaultBranch,
            protectedBranches: protectedBranches.map(\.text), protectedTags: protectedTags.map(\.text),
            approval: pullRequests.approval.wire,
            ownBranches: pullRequests.trust == .approved ? .approved : .untrusted,
            allowedUsers: pullRequests.allowedUsers.map(\.wire), secrets: secrets.map(\.wire), jobs: jobs,
            runner: runner, revision: revision)
    }

    package init(_ policy: Policy) {
        self.init(
            name: policy.project,
            forge: Forge(kind: Forge.Kind(policy.forge), url: policy.url, app: policy.app),
            repository: RepositoryName(id: policy.repositoryId, path: policy.repositoryPath),
            defaultBranch: policy.defaultBranch)
        protectedBranches = policy.protectedBranches.map { Glob($0) }
        protectedTags = policy.protectedTags.map { Glob($0) }
        pullRequests.approval = PullRequests.Approval(policy.approval)
        pullRequests.trust = policy.ownBranches == .approved ? .approved : .untrusted
        pullRequests.allowedUsers = policy.allowedUsers.map { $0.id == 0 ? .name($0.name) : .id($0.id) }
        secrets = policy.secrets.map { SecretRule($0) }
    }
}

extension ProjectRules.Forge.Kind {
    package init(_ kind: ForgeKind) {
        self =
            switch kind {
            case .github: .github
            case .gitlab: .gitlab
            case .gitea: .gitea
            case .forgejo: .forgejo
            }
    }

    package var wire: ForgeKind {
        switch self {
        case .github: .github
        case .gitlab: .gitlab
        case .gitea: .gitea
        case .forgejo: .forgejo
        }
    }
}

extension ProjectRules.PullRequests.Approval {
    fileprivate init(_ need: ApprovalNeed) {
        self =
            switch need {
            case .none: .none
            case .forks: .forks
            case .all: .all
            }
    }

    fileprivate var wire: ApprovalNeed {
        switch self {
        case .none: .none
        case .forks: .forks
        case .all: .all
        }
    }
}

extension ProjectRules.User {
    fileprivate var wire: AllowedUser {
        switch self {
        case .id(let id): AllowedUser(id: id, name: "")
        case .name(let name): AllowedUser(id: 0, name: name)
        }
    }
}

extension ProjectRules.SecretRule {
    fileprivate init(_ rule: PolicySecret) {
        self.init(name: rule.name)
        if rule.listed {
            refs = .listed(branches: rule.branches.map { Glob($0) }, tags: rule.tags.map { Glob($0) })
        }
        trust = rule.trust == .approved ? .approved : .trusted
    }

    fileprivate var wire: PolicySecret {
        var wire = PolicySecret(
            name: name, listed: false, branches: [], tags: [], trust: trust == .approved ? .approved : .trusted)
        if case .listed(let branches, let tags) = refs {
            wire.listed = true
            (wire.branches, wire.tags) = (branches.map(\.text), tags.map(\.text))
        }
        return wire
    }
}

extension TrustClass {
    package var wire: Trust {
        switch self {
        case .trusted: .trusted
        case .approved: .approved
        case .untrusted: .untrusted
        }
    }
}
