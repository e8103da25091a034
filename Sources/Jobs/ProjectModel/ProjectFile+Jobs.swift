// ProjectFile+Jobs: the jobs of a project. What a job runs is read by JobFile, as everywhere; here is only what a
// project says beside it.

import Documents
import JobModel
import TrustModel

/// What the jobs of one project have in common.
struct SharedParts {
    let project: Project
    let environments: [String: [JobFile.Variable]]
    let templates: [String: Template]
    /// What is written there, right or wrong; nil: not even that is known. What is wrong has been told once, and is no
    /// mistake of the jobs that name it.
    let written: (secrets: Set<String>?, environments: Set<String>?, templates: Set<String>?)

    /// Of a job file, without what a project says in its own way: its name is the project's, and jobs that wait for
    /// others are named by numbers there, which nobody knows in advance.
    static let jobKeys = JobFile.keys.filter { !["project", "needs", "when"].contains($0) }
    private static let ownKeys = ["events", "branches", "git_tags", "paths", "environment", "ci_file", "checkout"]
    static let templateKeys = ownKeys + jobKeys.filter { $0 != "name" }
    static let keys = ["name", "template", "with"] + templateKeys
    /// What may stand beside a `ci_file`.
    static let besideFile = ["name", "timeout", "priority", "retries", "env"]
}

extension SpecReader {
    mutating func environments(_ value: SpecValue, at path: String) -> [String: [JobFile.Variable]] {
        var found: [String: [JobFile.Variable]] = [:]
        for (name, value, path) in named(value, at: path, of: "variables", limit: ProjectFile.Bounds.environments) {
            found[name] = environment(value, at: path)
        }
        return found
    }

    mutating func jobs(_ value: SpecValue, at path: String, _ shared: SharedParts) -> [ProjectJob] {
        let items = list(value, at: path, of: "jobs", limit: ProjectFile.Bounds.jobs) ?? []
        if items.isEmpty, case .list = value.content { report(path, value.place, "is empty; list at least one job") }
        var jobs: [ProjectJob] = []
        var names: Set<String> = []
        for (index, item) in items.prefix(ProjectFile.Bounds.jobs).enumerated() {
            let (name, job) = job(item, at: "\(path)[\(index)]", shared)
            if let name, !names.insert(name).inserted {
                report(
                    "\(path)[\(index)].name", item.place,
                    "'\(name)' is given twice; a status has to tell them apart")
            }
            if let job { jobs.append(job) }
        }
        return jobs
    }

    /// What of it can be read is read, so that one mistake does not hide another. Of a template that is not known only
    /// the template is told: nothing is missing from such a job, and nothing in it says nothing.
    private mutating func job(
        _ value: SpecValue, at path: String, _ shared: SharedParts
    ) -> (name: String?, job: ProjectJob?) {
        guard let given = map(value, at: path, keys: SharedParts.keys) else { return (nil, nil) }
        let name = required("name", of: given, in: value, at: path, "name the job; its status has that name")
            .flatMap { text($0, at: "\(path).name", bytes: 1...JobFile.Bounds.nameBytes) }
        let expanded = expand(given, in: value, at: path, shared)
        let isWhole = expanded != nil
        var map = expanded ?? given
        // Told already, if it is none.
        if name == nil { map["name"] = nil }
        map["env"] = mergedEnvironment(map, at: path, shared)
        if !isWhole && map["ci_file"] == nil {
            map["image"] = map["image"] ?? .text("none")
            map["steps"] = map["steps"] ?? .texts(["none"])
        }
        let definition = definition(map, in: value, at: path, shared)
        var job = ProjectJob(name: name ?? "", definition: definition ?? .file(.init(path: "")))
        var events: [ProjectJob.Trigger]? = isWhole ? job.events : nil
        if let value = map["events"] {
            events = self.events(value, at: "\(path).events")
            job.events = events ?? []
        }
        if let value = map["checkout"] { job.checkout = bool(value, at: "\(path).checkout") ?? true }
        for (key, filter, appliesTo, event) in [
            ("branches", \ProjectJob.branches, [.push, .pullRequest], "push or pull_request"),
            ("git_tags", \ProjectJob.gitTags, [.tag], "tag"),
            ("paths", \ProjectJob.paths, [.push, .pullRequest], "push or pull_request"),
        ] as [(String, WritableKeyPath<ProjectJob, Patterns>, Set<ProjectJob.Trigger>, String)] {
            guard let value = map[key] else { continue }
            job[keyPath: filter] = patterns(value, at: "\(path).\(key)")
            if let events, appliesTo.isDisjoint(with: events) {
                report("\(path).\(key)", value.place, "says nothing without the event \(event)")
            }
        }
        return (name, isWhole && definition != nil && name != nil ? job : nil)
    }

    /// nil: it is not known which are meant.
    private mutating func events(_ value: SpecValue, at path: String) -> [ProjectJob.Trigger]? {
        guard let items = list(value, at: path, of: "events", limit: ProjectJob.Trigger.allCases.count) else {
            return nil
        }
        if items.isEmpty {
            report(path, value.place, "is empty; list push, tag or pull_request")
            return nil
        }
        var found: Set<ProjectJob.Trigger> = []
        var isKnown = true
        for (index, item) in items.enumerated() {
            guard let event = word(item, at: "\(path)[\(index)]", ProjectJob.Trigger.self) else {
                isKnown = false
                continue
            }
            if !found.insert(event).inserted { report("\(path)[\(index)]", item.place, "is given twice; keep one") }
        }
        return isKnown ? ProjectJob.Trigger.allCases.filter { found.contains($0) } : nil
    }

    /// The job's own variables, and those of the environments that it names; its own come before those of the last
    /// environment, those before the ones of the first.
    private mutating func mergedEnvironment(
        _ map: [String: SpecValue], at path: String, _ shared: SharedParts
    ) -> SpecValue? {
        guard let value = map["environment"] else { return map["env"] }
        var own: [SpecValue.Entry] = []
        var isMapping = true
        if let env = map["env"] {
            if case .map(let entries) = env.content { own = entries } else { isMapping = false }
        }
        var taken = Set(own.map(\.key))
        let names: [SpecValue]
        if case .list = value.content {
            names = Array(
                list(value, at: "\(path).environment", of: "environments", limit: ProjectFile.Bounds.environments) ?? []
            )
        } else {
            names = [value]
        }
        for name in names.reversed() {
            guard case .string(let text) = name.content, let environment = shared.environments[text] else {
                if case .string(let text) = name.content, shared.written.environments?.contains(text) ?? true {
                    continue
                }
                let known = shared.environments.keys.sorted().joined(separator: ", ")
                report(
                    "\(path).environment", name.place,
                    "is no environment of this project; " + (known.isEmpty ? "it has none" : "known are \(known)"))
                continue
            }
            for variable in environment where taken.insert(variable.name).inserted {
                own.append(.init(key: variable.name, place: name.place, value: SpecValue(.string(variable.value))))
            }
        }
        return isMapping ? SpecValue(.map(own), place: (map["env"] ?? value).place) : map["env"]
    }

    private mutating func definition(
        _ map: [String: SpecValue], in value: SpecValue, at path: String, _ shared: SharedParts
    ) -> ProjectJob.Definition? {
        let entries = SharedParts.jobKeys.compactMap { key in map[key].map { SpecValue.Entry(key: key, value: $0) } }
        guard let file = map["ci_file"] else {
            let document = SpecValue(.map(entries), place: value.place)
            guard var job = take(JobFile.parse(document), at: path) else {
                checkSecrets(Self.secretNames(in: map["steps"]), at: path, map["steps"]?.place, shared)
                return nil
            }
            job.project = shared.project.name
            job.env.sort { $0.name < $1.name }
            for index in job.steps.indices { job.steps[index].secrets.sort { $0.variable < $1.variable } }
            checkSecrets(Set(job.steps.flatMap(\.secrets).map(\.name)), at: path, map["steps"]?.place, shared)
            return .written(job)
        }
        for entry in entries where !SharedParts.besideFile.contains(entry.key) {
            report("\(path).\(entry.key)", entry.value.place, "stands in the ci_file; write it there")
        }
        // What is read from the file later is made up here, so that the rest is read as in every job.
        let usual = [
            SpecValue.Entry(key: "image", value: .text("none")),
            SpecValue.Entry(key: "steps", value: .texts(["none"])),
        ]
        let beside = entries.filter { SharedParts.besideFile.contains($0.key) }
        let filePath = ciFilePath(file, at: "\(path).ci_file")
        guard let job = take(JobFile.parse(SpecValue(.map(usual + beside), place: value.place)), at: path),
            let filePath
        else { return nil }
        var definition = ProjectJob.CIFile(path: filePath)
        if map["timeout"] != nil { definition.timeout = job.timeout }
        if map["priority"] != nil { definition.priority = job.schedule.priority }
        definition.retries = job.schedule.retries
        definition.env = job.env.sorted { $0.name < $1.name }
        return .file(definition)
    }

    /// Another reader's result, its problems under this path.
    mutating func take(_ result: Result<JobFile, JobFileProblems>, at path: String) -> JobFile? {
        switch result {
        case .success(let file): return file
        case .failure(let found):
            report(
                JobFileProblems(
                    problems: found.problems.map {
                        JobFileProblem(
                            path: $0.path.isEmpty ? path : "\(path).\($0.path)", place: $0.place, message: $0.message)
                    }, more: found.more))
            return nil
        }
    }

    private mutating func checkSecrets(_ names: Set<String>, at path: String, _ place: Place?, _ shared: SharedParts) {
        guard let written = shared.written.secrets else { return }
        for name in names.subtracting(written.union([JobFile.jobTokenSecret])).sorted() {
            report(
                "\(path).steps", place,
                "name the secret '\(name)', for which the project has no rule; add it under secrets")
        }
    }

    /// Of steps that are not right otherwise.
    private static func secretNames(in steps: SpecValue?) -> Set<String> {
        guard case .list(let items)? = steps?.content else { return [] }
        let uses = items.flatMap { entries(of: $0).first { $0.key == "secrets" }.map { entries(of: $0.value) } ?? [] }
        let names = uses.map { use in
            entries(of: use.value).first { $0.key == "secret" }?.value.content ?? use.value.content
        }
        return Set(
            names.compactMap { content in
                if case .string(let name) = content, JobFile.isSecretName(name) { name } else { nil }
            })
    }

    /// Its keys, right or wrong, as somebody has written them.
    static func entries(of value: SpecValue) -> [SpecValue.Entry] {
        if case .map(let entries) = value.content { entries } else { [] }
    }

    /// The same for what others name; nil if it is no mapping.
    static func written(_ value: SpecValue?) -> Set<String>? {
        guard let value else { return [] }
        guard case .map(let entries) = value.content else { return nil }
        return Set(entries.map(\.key))
    }

    private mutating func ciFilePath(_ value: SpecValue, at path: String) -> String? {
        guard let text = text(value, at: path, bytes: 1...ProjectFile.Bounds.pathBytes) else { return nil }
        if text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy({ PlainPath.isPart($0) }) {
            return text
        }
        report(path, value.place, "is not the path of a file in the repository; write it like ci/job.yaml")
        return nil
    }
}
