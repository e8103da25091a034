// What others have and this Bulkhead does not: it fails the job at once, in a sentence that names it. So does what is
// not known here, unless it says nothing: a job must not run as something else than its author meant.

import Documents

extension Payload {
    /// What is read, or may be passed over: it changes nothing of what the job does here.
    private static let known: Set<String> = [
        "id", "token", "allow_git_fetch", "job_info", "git_info", "runner_info", "variables", "steps", "image",
        "artifacts", "dependencies", "features", "credentials", "policy_options", "suspend_options",
    ]

    /// What has a name in GitLab's documents.
    private static let unsupported: [(key: String, what: String)] = [
        ("services", "services"), ("cache", "a cache"), ("secrets", "secrets of an external vault"),
        ("hooks", "hooks"), ("run", "steps of `run:`"), ("inputs", "job inputs"),
    ]

    static func refuseWhatIsUnknown(_ root: PayloadValue) throws(JobRefused) {
        for (key, what) in unsupported {
            let value = try root.member(key)
            // An empty list, and what GitLab writes for an empty one: `[{}]`, `"null"`.
            if value.isNothing || isEmptyDocument(value) { continue }
            throw .unsupported("it wants \(what)\(try names(value)), which Bulkhead does not have yet")
        }
        for key in try root.keys() where !known.contains(key) && !unsupported.contains(where: { $0.key == key }) {
            if try root.member(key).isNothing { continue }
            throw .unsupported(
                "GitLab says `\(JobRefused.shown(key))` of it, which this Bulkhead does not know: it would run as "
                    + "something else than it is")
        }
    }

    /// JSON in a text.
    private static func isEmptyDocument(_ value: PayloadValue) -> Bool {
        guard case .string(let text) = value.content else { return false }
        return ["null", "[]", "{}"].contains(text)
    }

    /// ` (postgres:16)`: what a list says the things in it are called.
    private static func names(_ value: PayloadValue) throws(JobRefused) -> String {
        guard case .list(let items) = value.content else { return "" }
        for item in items.prefix(8) {
            for key in ["name", "key"] {
                guard case .map = item.content,
                    case .string(let name) = try PayloadValue(item.content, path: "").member(key).content,
                    !name.isEmpty
                else { continue }
                return " (\(JobRefused.shown(name)))"
            }
        }
        return ""
    }

    // MARK: settings that are variables

    static func refuseSettings(_ list: VariableList) throws(JobRefused) {
        func value(_ name: String) -> String { list[name]?.value ?? "" }
        if !["", "none"].contains(value("GIT_SUBMODULE_STRATEGY")) {
            throw .unsupported("it wants submodules (GIT_SUBMODULE_STRATEGY), which Bulkhead does not have yet")
        }
        if !["", "fetch", "clone", "none", "empty"].contains(value("GIT_STRATEGY")) {
            let given = value("GIT_STRATEGY")
            let shown = list.isRevealing(Array(given.utf8)) ? "a secret" : JobRefused.shown(given)
            throw .unsupported("its GIT_STRATEGY is \(shown), which is not known here")
        }
        if !["", "true", "1"].contains(value("GIT_CHECKOUT")) {
            throw .unsupported("it wants no checkout (GIT_CHECKOUT); Bulkhead has sources without a repository only")
        }
        for name in ["GIT_CLONE_PATH", "RUNNER_SCRIPT_TIMEOUT", "RUNNER_AFTER_SCRIPT_TIMEOUT"] where list[name] != nil {
            throw .unsupported("it sets \(name), which Bulkhead does not have yet")
        }
        if !["", "true", "1"].contains(value("AFTER_SCRIPT_IGNORE_ERRORS")) {
            throw .unsupported("it sets AFTER_SCRIPT_IGNORE_ERRORS, which Bulkhead does not have yet")
        }
    }

    /// Whether the job wants its source.
    static func wantsSource(_ list: VariableList) -> Bool {
        !["none", "empty"].contains(list["GIT_STRATEGY"]?.value ?? "")
    }
}
