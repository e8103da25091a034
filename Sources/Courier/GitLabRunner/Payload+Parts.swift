// The parts of a job: its source, its image, its files, the jobs before it.

import ForgeModel

extension Payload {
    static func source(
        _ git: PayloadValue, _ project: UInt64, _ list: VariableList
    ) throws(JobRefused) -> GitLabJob.Source? {
        guard wantsSource(list) else { return nil }
        guard let commit = Commit(try git.member("sha").text(64)) else {
            throw .malformed("git_info.sha", "is no commit")
        }
        var refspecs: [String] = []
        for value in try git.member("refspecs").list(64) { refspecs.append(try value.word(4096)) }
        let isTag: Bool
        switch try git.member("ref_type").optionalText(64) {
        case "tag": isTag = true
        case "branch", "": isTag = false
        case let other: throw .unsupported("its ref is a \(JobRefused.shown(other)), which is not known here")
        }
        return GitLabJob.Source(
            project: project, commit: commit, reference: try git.member("ref").word(1024), isTag: isTag,
            refspecs: refspecs)
    }

    // MARK: image

    static func image(
        _ image: PayloadValue, _ list: VariableList, _ limits: PayloadLimits
    ) throws(JobRefused) -> String? {
        if image.isNothing { return nil }
        for entry in try image.member("entrypoint").list(64) where !entry.isNothing {
            throw .unsupported(
                "its image has an entrypoint of its own (\(JobRefused.shown(try entry.text(1024)))); here Bulkhead's "
                    + "runner is every container's entrypoint, so leave it out, or write [\"\"]")
        }
        for (key, what) in [
            ("command", "a command"), ("ports", "ports"), ("pull_policy", "a pull policy"), ("user", "a user"),
            ("executor_opts", "executor options (docker, kubernetes)"),
        ] where try !image.member(key).isNothing {
            throw .unsupported("its image has \(what), which Bulkhead does not have yet")
        }
        let name = try shown(try image.member("name").text(4096), "the image", list, limits.imageBytes)
        if name.isEmpty { return nil }
        guard name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .malformed("image.name", "has characters that no image's name has")
        }
        return name
    }

    /// A text with variables in it that a definition will hold.
    private static func shown(
        _ text: String, _ what: String, _ list: VariableList, _ most: Int
    ) throws(JobRefused) -> String {
        let value = try list.expand(text, at: what, most: most)
        if value.isSecret || list.isRevealing(value.bytes) {
            throw .unsupported("\(what) is made of a variable that is not public; it would be there for all to read")
        }
        return value.text
    }

    // MARK: files

    static func artifacts(
        _ rules: PayloadValue, _ list: VariableList, _ limits: PayloadLimits
    ) throws(JobRefused) -> [ArtifactRule] {
        var found: [ArtifactRule] = []
        for rule in try rules.list(limits.rules) {
            if try rule.member("untracked").flag() {
                throw .unsupported("it wants all untracked files as artifacts; Bulkhead's sources have no repository")
            }
            let type = try rule.member("artifact_type").optionalText(32)
            let format = try rule.member("artifact_format").optionalText(32)
            guard let known = ArtifactRule.Format(rawValue: format.isEmpty ? "zip" : format),
                type.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F })
            else {
                throw .unsupported(
                    "its artifacts are \(JobRefused.shown("\(type) as \(format)")), which is not known here")
            }
            let name = try shown(try rule.member("name").optionalText(1024), "the name of its artifacts", list, 1024)
            let expires = try rule.member("expire_in").optionalText(128)
            found.append(
                ArtifactRule(
                    name: name.isEmpty ? "artifacts" : name,
                    paths: try paths(rule.member("paths"), "a path of its artifacts", list, limits),
                    exclude: try paths(rule.member("exclude"), "a path that its artifacts exclude", list, limits),
                    when: try when(rule.member("when")), type: type.isEmpty ? "archive" : type, format: known,
                    expireIn: expires.isEmpty ? nil : expires))
        }
        return found
    }

    private static func paths(
        _ value: PayloadValue, _ what: String, _ list: VariableList, _ limits: PayloadLimits
    ) throws(JobRefused) -> [String] {
        var paths: [String] = []
        for path in try value.list(limits.pathsOfRule) {
            let path = try shown(try path.text(4096), what, list, 4096)
            if !path.isEmpty { paths.append(path) }
        }
        return paths
    }

    static func when(_ value: PayloadValue) throws(JobRefused) -> GitLabJob.Step.When {
        let word = try value.optionalText(64)
        guard let when = GitLabJob.Step.When(rawValue: word.isEmpty ? "on_success" : word) else {
            throw .unsupported("\(value.path) is \(JobRefused.shown(word)), which is not known here")
        }
        return when
    }

    // MARK: jobs before it

    static func dependencies(_ value: PayloadValue, _ limits: PayloadLimits) throws(JobRefused) -> [Dependency] {
        var found: [Dependency] = []
        for one in try value.list(limits.dependencies) {
            let file = try one.member("artifacts_file")
            // It left nothing behind.
            if file.isNothing { continue }
            let dependency = Dependency(
                id: try one.member("id").number(), name: try one.member("name").word(1024),
                token: try one.member("token").token(), fileName: try file.member("filename").word(1024),
                size: try file.member("size").isNull ? 0 : file.member("size").number())
            guard dependency.size <= limits.archiveBytes else {
                throw .unsupported(
                    "the artifacts of \(JobRefused.shown(dependency.name)) have \(dependency.size) bytes; at most "
                        + "\(limits.archiveBytes) fit")
            }
            found.append(dependency)
        }
        return found
    }
}
