// Project+Document: projects as a document again, in one order and one form, so that two of them can be compared and
// what holds can be read. `ProjectFile.parse` makes the same projects of it.

package import Documents
import JobModel
import TrustModel

extension ProjectFile {
    package static func document(_ projects: [Project]) -> SpecValue {
        var map = DocumentMap()
        map.add("projects", SpecValue(.list(projects.map(\.document))))
        return map.value
    }
}

extension Project {
    package var document: SpecValue {
        var map = DocumentMap()
        map.add("name", .text(rules.name))
        map.add("forge", rules.forge.document)
        map.add("repository", rules.repository.document)
        // Said only where it is not usual: rules of before keep their revision.
        map.add("polling", polling ? SpecValue(.bool(true)) : nil)
        map.add("default_branch", .text(rules.defaultBranch))
        map.add("protected_branches", .globs(rules.protectedBranches))
        map.add("protected_tags", .globs(rules.protectedTags))
        map.add("pull_requests", rules.pullRequests.document)
        if !rules.secrets.isEmpty {
            var secrets = DocumentMap()
            for rule in rules.secrets { secrets.add(rule.name, rule.document) }
            map.add("secrets", secrets.value)
        }
        map.add("gitlab_runner", runner?.document)
        map.add("jobs", jobs.isEmpty && runner != nil ? nil : SpecValue(.list(jobs.map(\.document))))
        return map.value
    }
}

extension ProjectRules.Forge {
    fileprivate var document: SpecValue {
        var map = DocumentMap()
        map.add("kind", .text(kind.rawValue))
        map.add("url", .text(url))
        // Said only where there is one: rules of before keep their revision.
        map.add("app", app.map { .text($0) })
        return map.value
    }
}

extension ProjectRules.RepositoryName {
    fileprivate var document: SpecValue {
        var map = DocumentMap()
        map.add("id", id.map { .number($0) })
        map.add("path", path.map { .text($0) })
        return map.value
    }
}

extension ProjectRules.PullRequests {
    /// Who is trusted stands there also where it is what is usual.
    fileprivate var document: SpecValue {
        var map = DocumentMap()
        map.add("trust", .text(trust.rawValue))
        map.add("approval", .text(approval.rawValue))
        let users = allowedUsers.map { user -> SpecValue in
            switch user {
            case .id(let id): .number(id)
            case .name(let name): .text(name)
            }
        }
        map.add("allowed_users", users.isEmpty ? nil : SpecValue(.list(users)))
        return map.value
    }
}

extension ProjectRules.SecretRule {
    fileprivate var document: SpecValue {
        var map = DocumentMap()
        if case .listed(let branches, let tags) = refs {
            map.add("branches", .globs(branches))
            map.add("git_tags", .globs(tags))
        }
        map.add("trust", .text(trust.rawValue))
        return map.value
    }
}

extension ProjectJob {
    fileprivate var document: SpecValue {
        var map = DocumentMap()
        map.add("name", .text(name))
        map.add("events", .texts(events.map(\.rawValue)))
        map.add("branches", branches.document)
        map.add("git_tags", gitTags.document)
        map.add("paths", paths.document)
        // Said only where it is not usual: rules of before keep their revision.
        map.add("checkout", checkout ? nil : SpecValue(.bool(false)))
        switch definition {
        case .file(let file):
            map.add("ci_file", .text(file.path))
            map.add("timeout", file.timeout.map { .seconds($0) })
            map.add("priority", file.priority.map { .number($0) })
            map.add("retries", file.retries.map { .number($0) })
            map.add("env", file.env.isEmpty ? nil : .environment(file.env))
        case .written(let job):
            guard case .map(let entries) = job.document.content else { break }
            for entry in entries where entry.key != "name" && entry.key != "project" {
                map.add(entry.key, entry.value)
            }
        }
        return map.value
    }
}

extension Patterns {
    fileprivate var document: SpecValue? {
        isEmpty ? nil : .texts(admitted.map(\.text) + excluded.map { "!" + $0.text })
    }
}

extension SpecValue {
    fileprivate static func globs(_ globs: [Glob]) -> SpecValue? { globs.isEmpty ? nil : .texts(globs.map(\.text)) }
}
