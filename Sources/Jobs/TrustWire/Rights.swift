// Rights: who may do what. The one table of it, for brokerd, which decides about everything that is sealed, and for
// schedulerd, which decides about the rest. docs/roles.md is made from it.

package import Wire

/// What somebody may ask of the house.
package enum Action: String, CaseIterable, Sendable {
    case seeHouse = "see the status and the metrics"
    case seeJobs = "see jobs, their logs, and the runners that they have"
    case seeDeliveries = "see what webhooks have brought"
    case seeProject = "see the project, the names of its secrets, and who may do what in it"
    case upload = "upload a source archive"
    case submit = "submit a job"
    case cancel = "cancel a job"
    case approve = "approve a change"
    case setSecrets = "set and remove secrets"
    case applyProject = "apply and remove the project"
    case setRoles = "give and take roles in it"
    case seePools = "see pools, and runners without a job"
    case keepRunners = "start and remove runners by hand"
    case drain = "drain the house"
    case manageUsers = "make and remove users, and tokens of others; see all tokens"
    case rotate = "rotate the master key"

    /// Where the access has to be.
    package enum Place: String, Sendable {
        case anywhere, project, everywhere
    }

    /// anywhere: in one project at least.
    package var need: (access: Access, place: Place) {
        switch self {
        case .seeHouse: (.metrics, .anywhere)
        case .upload: (.write, .anywhere)
        case .seeJobs, .seeDeliveries, .seeProject: (.read, .project)
        case .submit, .cancel, .approve: (.write, .project)
        case .setSecrets, .applyProject, .setRoles: (.admin, .project)
        case .seePools: (.read, .everywhere)
        case .keepRunners: (.write, .everywhere)
        case .drain, .manageUsers, .rotate: (.admin, .everywhere)
        }
    }
}

/// What one token may do now.
package struct Rights: Equatable, Sendable {
    package let everywhere: Access
    package let projects: [ProjectAccess]

    package init(everywhere: Access, projects: [ProjectAccess]) {
        self.everywhere = everywhere
        self.projects = projects
    }

    /// Those of the user, as far as the token's scope reaches.
    package init(_ user: UserInfo, within token: TokenInfo) {
        let all = Rights(everywhere: user.everywhere, projects: user.projects)
        let named = token.projects.isEmpty ? user.projects.map(\.project) : token.projects
        everywhere = token.projects.isEmpty ? min(user.everywhere, token.access) : .metrics
        projects = named.map { ProjectAccess(project: $0, access: min(all.access(to: $0), token.access)) }
    }

    package func access(to project: String) -> Access {
        projects.reduce(everywhere) { $1.project == project ? max($0, $1.access) : $0 }
    }

    /// The projects that can be seen; nil: all.
    package var visible: [String]? {
        everywhere >= .read ? nil : projects.filter { $0.access >= .read }.map(\.project).sorted()
    }

    /// Why this may not be done; nil: it may. Who may see nothing of a project hears what he would if there were none.
    package func refusal(of action: Action, in project: String = "") -> Failure? {
        let (needed, place) = action.need
        switch place {
        case .anywhere:
            if projects.reduce(everywhere, { max($0, $1.access) }) >= needed { return nil }
            return .denied("this needs \(needed) in some project, and this token has it in none", "role")
        case .project:
            let access = access(to: project)
            if access >= needed { return nil }
            return access < .read
                ? .noProject(project)
                : .denied(
                    "you have \(access) in project \(project), and this needs \(needed); ask one of its admins "
                        + "(`bulkhead user ls --project \(project)` lists them)", "role")
        case .everywhere:
            if everywhere >= needed { return nil }
            let has = everywhere == .metrics ? "roles in projects alone" : "\(everywhere) in all projects"
            return .denied(
                "you have \(has), and this needs \(needed) in all; ask an admin of the house, or use a token that is "
                    + "narrowed less (`bulkhead whoami`)", "role")
        }
    }
}

extension Access: Comparable {
    package static func < (left: Access, right: Access) -> Bool { left.rawValue < right.rawValue }
}

extension Failure {
    package static func noProject(_ name: String) -> Failure {
        Failure(
            code: ErrorCode.notFound.rawValue, place: "project",
            text: "there is no project '\(name)', or you have no role in it; `bulkhead project ls` and `bulkhead "
                + "whoami` list yours")
    }

    fileprivate static func denied(_ text: String, _ place: String) -> Failure {
        Failure(code: ErrorCode.deniedByPolicy.rawValue, place: place, text: text)
    }
}
