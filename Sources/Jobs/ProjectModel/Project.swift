// Project: a repository of a forge, and what may run for it. ProjectFile reads it; Project+Plan decides by it.

package import JobModel
package import TrustModel

/// Rules and jobs. Templates and environments are written out in it: it says what holds, not how that was written.
@dynamicMemberLookup
package struct Project: Equatable, Sendable {
    package var rules: ProjectRules
    /// Its forge tells nobody: it is asked what is new.
    package var polling = false
    /// Jobs of its GitLab run here, too.
    package var runner: ProjectRunner?
    package var jobs: [ProjectJob] = []

    package init(
        name: String, forge: ProjectRules.Forge, repository: ProjectRules.RepositoryName, defaultBranch: String = "main"
    ) {
        rules = ProjectRules(name: name, forge: forge, repository: repository, defaultBranch: defaultBranch)
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<ProjectRules, Value>) -> Value {
        get { rules[keyPath: path] }
        set { rules[keyPath: path] = newValue }
    }
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
    /// Whether the commits that are tested are there when it runs.
    package var checkout = true

    package init(name: String, definition: Definition) {
        self.name = name
        self.definition = definition
    }
}
