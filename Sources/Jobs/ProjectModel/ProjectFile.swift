// ProjectFile: the document in which a person writes projects, many in one. Every mistake in it is told at once.

package import Documents
package import JobModel
import TrustModel

package enum ProjectFile {
    /// The bounds of a file; those of its jobs are JobFile's.
    package enum Bounds {
        /// All values of the document.
        package static let values = 50_000
        /// What all templates come to with their parameters, in bytes, each value and each parameter with something on
        /// top: a few lines can ask for very many.
        package static let expandedBytes = 32 << 20
        package static let projects = 128
        package static let jobs = 64
        package static let templates = 32
        package static let parameters = 32
        package static let environments = 32
        package static let secrets = 64
        package static let patterns = 32
        package static let users = 128
        package static let urlBytes = 255
        /// Of a branch, of a file and of a repository.
        package static let pathBytes = 255
    }

    package static func parse(_ document: SpecValue) -> Result<[Project], JobFileProblems> {
        var reader = SpecReader()
        guard let map = reader.map(document, at: "", keys: ["projects"]) else { return .failure(reader.found) }
        var projects: [Project] = []
        if let value = map["projects"] {
            let items = reader.list(value, at: "projects", of: "projects", limit: Bounds.projects) ?? []
            if items.isEmpty, case .list = value.content {
                reader.report("projects", value.place, "is empty; write at least one project")
            }
            for (index, item) in items.prefix(Bounds.projects).enumerated() {
                guard let project = reader.wholeProject(item, at: "projects[\(index)]") else { continue }
                if !project.name.isEmpty, projects.contains(where: { $0.name == project.name }) {
                    reader.report(
                        "projects[\(index)].name", item.place, "'\(project.name)' is given twice; names are unique")
                }
                projects.append(project)
            }
        } else {
            reader.report("projects", document.place, "is missing; list your projects under it")
        }
        return reader.problems.isEmpty ? .success(projects) : .failure(reader.found)
    }
}

extension SpecReader {
    private static let projectKeys = [
        "name", "forge", "repository", "default_branch", "protected_branches", "protected_tags", "pull_requests",
        "secrets", "environments", "templates", "jobs", "polling", "gitlab_runner",
    ]

    fileprivate mutating func wholeProject(_ value: SpecValue, at path: String) -> Project? {
        guard let map = map(value, at: path, keys: Self.projectKeys) else { return nil }
        let name = required("name", of: map, in: value, at: path, "name the project")
            .flatMap { projectName($0, at: "\(path).name") }
        let forge = required("forge", of: map, in: value, at: path, "for example forge: {kind: github}")
            .flatMap { self.forge($0, at: "\(path).forge") }
        let repository = required("repository", of: map, in: value, at: path, "for example repository: acme/shop")
            .flatMap { self.repository($0, at: "\(path).repository") }
        var project = Project(
            name: name ?? "", forge: forge ?? .init(kind: .github, url: ""), repository: repository ?? .init())
        if forge?.app != nil, let value = map["repository"], let repository,
            repository.path == nil || repository.id == nil
        {
            // Whoever takes over a name that was given up could install the app there.
            report(
                "\(path).repository", value.place,
                "needs id and path beside an app: {id: 4711, path: acme/shop}; the id is GitHub's number of it: "
                    + "gh api repos/acme/shop --jq .id")
        }
        if let value = map["polling"] {
            project.polling = bool(value, at: "\(path).polling") ?? false
            if project.polling, let repository, repository.path == nil, forge?.kind != .gitlab {
                report("\(path).polling", value.place, "needs the repository's path: {id: 4711, path: acme/shop}")
            }
        }
        if let value = map["default_branch"], let branch = branchName(value, at: "\(path).default_branch") {
            project.defaultBranch = branch
        }
        if let value = map["protected_branches"] {
            project.protectedBranches = globs(value, at: "\(path).protected_branches")
        }
        if let value = map["protected_tags"] { project.protectedTags = globs(value, at: "\(path).protected_tags") }
        if let value = map["pull_requests"] {
            project.pullRequests = pullRequests(value, at: "\(path).pull_requests")
            if forge?.kind == .gitlab, project.pullRequests.allowedUsers.contains(where: \.isNamed) {
                report(
                    "\(path).pull_requests.allowed_users", value.place,
                    "has names, but GitLab tells of an author only the number; write that")
            }
        }
        if let value = map["secrets"] { project.secrets = secretRules(value, at: "\(path).secrets") }
        let shared = SharedParts(
            project: project,
            environments: map["environments"].map { environments($0, at: "\(path).environments") } ?? [:],
            templates: map["templates"].map { templates($0, at: "\(path).templates") } ?? [:],
            written: (Self.written(map["secrets"]), Self.written(map["environments"]), Self.written(map["templates"])))
        if let value = map["gitlab_runner"] {
            project.runner = runner(value, at: "\(path).gitlab_runner")
            if let forge, forge.kind != .gitlab {
                report("\(path).gitlab_runner", value.place, "is for a project whose forge is gitlab")
            }
        }
        // A runner of GitLab's gets its jobs there.
        if map["gitlab_runner"] != nil, map["jobs"] == nil { return project }
        if let jobs = required("jobs", of: map, in: value, at: path, "list at least one job") {
            project.jobs = self.jobs(jobs, at: "\(path).jobs", shared)
        }
        return project
    }

    /// The value of a key that has to be there.
    mutating func required(
        _ key: String, of map: [String: SpecValue], in value: SpecValue, at path: String, _ mend: String
    ) -> SpecValue? {
        if map[key] == nil { report("\(path).\(key)", value.place, "is missing; \(mend)") }
        return map[key]
    }

    /// The entries of a mapping that its author has named, each once and with a good name.
    mutating func named(
        _ value: SpecValue, at path: String, of what: String, limit: Int
    ) -> [(name: String, value: SpecValue, path: String)] {
        guard case .map(let entries) = value.content else {
            report(path, value.place, "must be a mapping of names to \(what); it is \(value.kind)")
            return []
        }
        if entries.count > limit { report(path, value.place, "has \(entries.count) of them; at most \(limit) fit") }
        var found: [(name: String, value: SpecValue, path: String)] = []
        for entry in entries.prefix(limit) {
            let entryPath = "\(path).\(Self.shown(entry.key))"
            if !JobFile.isSecretName(entry.key) {
                report(entryPath, entry.place, "is not a name; use letters, digits and . _ -, a letter or digit first")
            } else if found.contains(where: { $0.name == entry.key }) {
                report(entryPath, entry.place, "is given twice; keep one")
            } else {
                found.append((entry.key, entry.value, entryPath))
            }
        }
        return found
    }
}
