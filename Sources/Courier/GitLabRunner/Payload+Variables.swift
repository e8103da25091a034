// The variables of a job, and which of them nobody may read in a definition.

import Exchange

extension Payload {
    static func variables(
        _ root: PayloadValue, timeout: UInt32, _ limits: PayloadLimits
    ) throws(JobRefused) -> VariableList {
        var given: [GivenVariable] = []
        for value in try root.member("variables").list(4 * limits.variables) {
            let key = try value.member("key").text(limits.nameBytes)
            guard isName(key) else {
                throw .unsupported("the variable \(JobRefused.shown(key)) has no name that a shell takes")
            }
            // Null is a variable without a value.
            given.append(
                GivenVariable(
                    key, try value.member("value").optionalText(limits.valueBytes),
                    isPublic: try value.member("public").flag(), isFile: try value.member("file").flag(),
                    isMasked: try value.member("masked").flag(), isRaw: try value.member("raw").flag()))
        }
        return VariableList(given + ours(timeout, limits))
    }

    /// What a runner adds: where the job is. The last one is meant, so nobody says it is elsewhere.
    private static func ours(_ timeout: UInt32, _ limits: PayloadLimits) -> [GivenVariable] {
        let directory = limits.projectDirectory
        let parent = directory.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(directory[..<$0]) } ?? ""
        return [
            ("CI_PROJECT_DIR", directory), ("CI_BUILDS_DIR", parent), ("CI_SERVER", "yes"),
            ("CI_DISPOSABLE_ENVIRONMENT", "true"), ("CI_JOB_TIMEOUT", String(timeout)),
        ].map { GivenVariable($0.0, $0.1, isPublic: true, isFile: false, isMasked: false, isRaw: true) }
    }

    /// Those that a definition may hold, and those that go to brokerd.
    static func split(
        _ list: VariableList, _ limits: PayloadLimits
    ) throws(JobRefused) -> ([GitLabJob.Variable], [GitLabJob.SecretVariable]) {
        var plain: [GitLabJob.Variable] = []
        var secrets: [GitLabJob.SecretVariable] = []
        for variable in list.variables {
            var value = ExpandedText(bytes: Array(variable.value.utf8))
            if !variable.isRaw {
                value = try list.expand(
                    variable.value, at: "the variable \(JobRefused.shown(variable.key))", most: limits.valueBytes)
            }
            // An empty value hides nothing, and nothing can be masked by it.
            // GitLab has put in what a value names: what is public by its word may hold what is not.
            let isSecret = variable.isSecret || value.isSecret || list.isRevealing(value.bytes)
            if !variable.isFile, value.bytes.isEmpty || !isSecret {
                plain.append(GitLabJob.Variable(name: variable.key, value: value.text))
            } else {
                guard variable.key.utf8.count <= limits.secretNameBytes else {
                    throw .unsupported(
                        "the variable \(JobRefused.shown(variable.key)) is not public, and its name has more than "
                            + "\(limits.secretNameBytes) bytes")
                }
                secrets.append(
                    GitLabJob.SecretVariable(
                        name: variable.key, value: SecretText(value.text), isFile: variable.isFile,
                        isMasked: variable.isMasked || value.isMasked))
            }
        }
        guard plain.count <= limits.variables else {
            throw .unsupported("it has \(plain.count) variables; at most \(limits.variables) fit")
        }
        guard secrets.count <= limits.secrets else {
            throw .unsupported(
                "it has \(secrets.count) variables that are not public; at most \(limits.secrets) fit")
        }
        return (plain, secrets)
    }

    /// `[A-Za-z_][A-Za-z0-9_]*`, and none of Bulkhead's own.
    private static func isName(_ key: String) -> Bool {
        let bytes = key.utf8
        guard let first = bytes.first, !(0x30...0x39).contains(first) else { return false }
        let isOurs = bytes.elementsEqual("BULKHEAD".utf8) || bytes.starts(with: "BULKHEAD_".utf8)
        return !isOurs
            && bytes.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
            }
    }
}
