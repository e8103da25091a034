// JobFile+Steps: the steps of a job file, and which secrets they are given.

import Documents

extension SpecReader {
    private static let stepKeys = ["name", "run", "timeout", "continue_on_error", "untrusted", "secrets"]

    mutating func steps(_ value: SpecValue?, document: SpecValue) -> [JobFile.Step] {
        guard let value else {
            report("steps", document.place, "is missing; list at least one step, for example - run: make test")
            return []
        }
        guard case .list(let items) = value.content else {
            report("steps", value.place, "must be a list of steps; it is \(value.kind)")
            return []
        }
        if items.isEmpty { report("steps", value.place, "is empty; list at least one step") }
        if items.count > JobFile.Bounds.steps {
            report("steps", value.place, "has \(items.count) steps; at most \(JobFile.Bounds.steps) fit")
        }
        return items.prefix(JobFile.Bounds.steps).enumerated().compactMap { step($1, index: $0) }
    }

    private mutating func step(_ value: SpecValue, index: Int) -> JobFile.Step? {
        let path = "steps[\(index)]"
        if case .string = value.content {
            return text(value, at: path, bytes: 1...JobFile.Bounds.runBytes)
                .map { JobFile.Step(name: "step \(index + 1)", run: $0) }
        }
        guard let map = map(value, at: path, keys: Self.stepKeys) else { return nil }
        var step = JobFile.Step(name: "step \(index + 1)", run: "")
        if let name = map["name"], let text = text(name, at: "\(path).name", bytes: 1...JobFile.Bounds.nameBytes) {
            step.name = text
        }
        if let run = map["run"] {
            step.run = text(run, at: "\(path).run", bytes: 1...JobFile.Bounds.runBytes) ?? ""
        } else {
            report("\(path).run", value.place, "is missing; write the commands of this step")
        }
        if let timeout = map["timeout"], let seconds = seconds(timeout, at: "\(path).timeout") {
            step.timeout = seconds
        }
        if let flag = map["continue_on_error"], let value = bool(flag, at: "\(path).continue_on_error") {
            step.continueOnError = value
        }
        if let flag = map["untrusted"], let value = bool(flag, at: "\(path).untrusted") { step.untrusted = value }
        if let value = map["secrets"] {
            step.secrets = secrets(value, at: "\(path).secrets")
            if step.untrusted && !step.secrets.isEmpty {
                report(
                    "\(path).secrets", value.place,
                    "an untrusted step has no secrets; use them in a step of its own that is not untrusted")
            }
        }
        return step
    }

    private mutating func secrets(_ value: SpecValue, at path: String) -> [JobFile.SecretUse] {
        guard case .map(let entries) = value.content else {
            report(path, value.place, "must be a mapping of variables to names of secrets; it is \(value.kind)")
            return []
        }
        if entries.count > JobFile.Bounds.secretsOfStep {
            report(path, value.place, "has \(entries.count) secrets; at most \(JobFile.Bounds.secretsOfStep) fit")
        }
        var uses: [JobFile.SecretUse] = []
        for entry in entries.prefix(JobFile.Bounds.secretsOfStep) {
            let entryPath = "\(path).\(Self.shown(entry.key))"
            if let problem = Self.variableNameProblem(entry.key) {
                report(entryPath, entry.place, problem)
            } else if uses.contains(where: { $0.variable == entry.key }) {
                report(entryPath, entry.place, "is given twice; keep one")
            } else if let use = secret(entry.value, in: entry.key, at: entryPath) {
                uses.append(use)
            }
        }
        return uses
    }

    /// `NAME`, or `{secret: NAME, as: file}`.
    private mutating func secret(_ value: SpecValue, in variable: String, at path: String) -> JobFile.SecretUse? {
        guard case .map = value.content else {
            return secretName(value, at: path).map { JobFile.SecretUse(name: $0, variable: variable) }
        }
        guard let map = map(value, at: path, keys: ["secret", "as"]) else { return nil }
        var form: JobFile.SecretUse.Form? = .variable
        if let value = map["as"] { form = word(value, at: "\(path).as", JobFile.SecretUse.Form.self) }
        guard let given = map["secret"] else {
            report("\(path).secret", value.place, "is missing; name a secret of the project")
            return nil
        }
        guard let name = secretName(given, at: "\(path).secret"), let form else { return nil }
        return JobFile.SecretUse(name: name, form: form, variable: variable)
    }

    private mutating func secretName(_ value: SpecValue, at path: String) -> String? {
        guard let name = text(value, at: path, bytes: 1...JobFile.Bounds.secretNameBytes) else { return nil }
        if JobFile.isSecretName(name) { return name }
        report(
            path, value.place, "is not a secret's name; use letters, digits and . _ - and begin with none of . and -")
        return nil
    }

    /// What only the whole file tells.
    mutating func compare(_ file: JobFile, steps: SpecValue?) {
        let names = Set(file.steps.flatMap(\.secrets).map(\.name)).subtracting([JobFile.jobTokenSecret])
        if names.count > JobFile.Bounds.secretsOfJob {
            report(
                "steps", steps?.place,
                "name \(names.count) different secrets; at most \(JobFile.Bounds.secretsOfJob) fit in one job")
        }
        guard case .list(let items)? = steps?.content, items.count == file.steps.count else { return }
        let variables = Set(file.env.map(\.name))
        for (index, step) in file.steps.enumerated() {
            for use in step.secrets where variables.contains(use.variable) {
                report(
                    "steps[\(index)].secrets.\(Self.shown(use.variable))", items[index].place,
                    "is in env, too: it is not clear which is meant; rename one")
            }
        }
    }
}
