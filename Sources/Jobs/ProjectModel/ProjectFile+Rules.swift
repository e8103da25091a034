// ProjectFile+Rules: where a project is, and whom it trusts with what.

import Documents
import ForgeModel
import JobModel
import TrustModel

extension SpecReader {
    mutating func projectName(_ value: SpecValue, at path: String) -> String? {
        guard let name = text(value, at: path, bytes: 1...JobFile.Bounds.secretNameBytes) else { return nil }
        if JobFile.isProjectName(name) { return name }
        report(path, value.place, "is not a project's name; use a to z, digits and . _ -, a letter or digit first")
        return nil
    }

    /// `{kind: gitea, url: https://git.example.org}`, `{kind: github, app: Iv23liAbCdEf}`
    mutating func forge(_ value: SpecValue, at path: String) -> ProjectRules.Forge? {
        guard let map = map(value, at: path, keys: ["kind", "url", "app"]) else { return nil }
        let kind = required("kind", of: map, in: value, at: path, "it is github, gitlab, gitea or forgejo")
            .flatMap { word($0, at: "\(path).kind", ProjectRules.Forge.Kind.self) }
        var forge = address(map, value, kind, at: path)
        if let value = map["app"] {
            if let kind, kind != .github {
                report("\(path).app", value.place, "is for a project whose forge is github")
            }
            forge?.app = app(value, at: "\(path).app")
        }
        return forge
    }

    /// A client ID, or the number that apps had before.
    private mutating func app(_ value: SpecValue, at path: String) -> String? {
        if case .integer(let number) = value.content, number > 0 { return String(number) }
        guard let text = text(value, at: path, bytes: 1...64) else { return nil }
        if text.utf8.allSatisfy(Self.isOfApp), text.utf8.first != UInt8(ascii: "-") { return text }
        report(path, value.place, "is not the client ID of a GitHub App; its page shows one like Iv23liAbCdEfGhIjKlMn")
        return nil
    }

    private static func isOfApp(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_")].contains(byte)
    }

    private mutating func address(
        _ map: [String: SpecValue], _ value: SpecValue, _ kind: ProjectRules.Forge.Kind?, at path: String
    ) -> ProjectRules.Forge? {
        if let value = map["url"] {
            guard let url = text(value, at: "\(path).url", bytes: 1...ProjectFile.Bounds.urlBytes) else { return nil }
            guard let address = ForgeAddress.read(url) else {
                report(
                    "\(path).url", value.place,
                    "is not the address of a forge; write it like https://git.example.org, without a name, a password "
                        + "or a query; http is for this machine alone")
                return nil
            }
            return kind.map { ProjectRules.Forge(kind: $0, url: address) }
        }
        switch kind {
        case .github: return ProjectRules.Forge(kind: .github, url: "https://github.com")
        case .gitlab: return ProjectRules.Forge(kind: .gitlab, url: "https://gitlab.com")
        case .gitea, .forgejo: report("\(path).url", value.place, "is missing; say where your forge is")
        case nil: break
        }
        return nil
    }

    /// `owner/name`, or `{id: 4711, path: owner/name}` of which one may be left out.
    mutating func repository(_ value: SpecValue, at path: String) -> ProjectRules.RepositoryName? {
        guard case .map = value.content else {
            return repositoryPath(value, at: path).map { ProjectRules.RepositoryName(path: $0) }
        }
        guard let map = map(value, at: path, keys: ["id", "path"]) else { return nil }
        var name = ProjectRules.RepositoryName()
        if let value = map["id"],
            let id = integer(value, at: "\(path).id", in: 1...Int64.max, example: "4711, the forge's number of it")
        {
            name.id = UInt64(id)
        }
        if let value = map["path"] { name.path = repositoryPath(value, at: "\(path).path") }
        if map.isEmpty { report(path, value.place, "names no repository; give its path, its id, or both") }
        return name
    }

    private mutating func repositoryPath(_ value: SpecValue, at path: String) -> String? {
        guard let text = text(value, at: path, bytes: 1...ProjectFile.Bounds.pathBytes) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isGood = parts.count >= 2 && parts.allSatisfy { PlainPath.isPart($0) }
        if isGood { return text }
        report(path, value.place, "is not a repository; write it as the forge does, like acme/shop")
        return nil
    }

    mutating func branchName(_ value: SpecValue, at path: String) -> String? {
        guard let text = text(value, at: path, bytes: 1...ProjectFile.Bounds.pathBytes) else { return nil }
        let isGood =
            text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && !"~^:?*[\\".contains(String($0)) }
            && !text.hasPrefix("-") && !text.contains("..") && !text.hasPrefix("refs/")
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".")
            }
        if isGood { return text }
        report(path, value.place, "is not the name of one branch; write it like main, without refs/heads/")
        return nil
    }

    mutating func pullRequests(_ value: SpecValue, at path: String) -> ProjectRules.PullRequests {
        var rules = ProjectRules.PullRequests()
        guard let map = map(value, at: path, keys: ["trust", "approval", "allowed_users"]) else { return rules }
        if let value = map["trust"], let trust = word(value, at: "\(path).trust", ProjectRules.PullRequests.Trust.self)
        {
            rules.trust = trust
        }
        if let value = map["approval"],
            let approval = word(value, at: "\(path).approval", ProjectRules.PullRequests.Approval.self)
        {
            rules.approval = approval
        }
        if let value = map["allowed_users"] {
            let items = list(
                value, at: "\(path).allowed_users", of: "names or numbers of accounts", limit: ProjectFile.Bounds.users)
            for (index, item) in (items ?? []).enumerated() {
                let itemPath = "\(path).allowed_users[\(index)]"
                guard let user = user(item, at: itemPath) else { continue }
                if rules.allowedUsers.contains(user) {
                    report(itemPath, item.place, "is given twice; keep one")
                } else {
                    rules.allowedUsers.append(user)
                }
            }
            rules.allowedUsers.sort { $0.order < $1.order }
        }
        return rules
    }

    private mutating func user(_ value: SpecValue, at path: String) -> ProjectRules.User? {
        if case .integer(let id) = value.content, id > 0 { return .id(UInt64(id)) }
        guard case .string = value.content else {
            report(path, value.place, "must be the name or the number of an account; it is \(value.kind)")
            return nil
        }
        return text(value, at: path, bytes: 1...JobFile.Bounds.nameBytes).map { .name($0) }
    }

    /// `NAME: {branches: [main], git_tags: ["v*"], trust: approved}`, all of which may be left out.
    mutating func secretRules(_ value: SpecValue, at path: String) -> [ProjectRules.SecretRule] {
        named(value, at: path, of: "rules", limit: ProjectFile.Bounds.secrets).map { name, value, path in
            var rule = ProjectRules.SecretRule(name: name)
            if name == JobFile.jobTokenSecret {
                report(path, value.place, "is each job's own and no secret of a project; leave it out")
            }
            guard let map = map(value, at: path, keys: ["branches", "git_tags", "trust"]) else { return rule }
            if let value = map["trust"],
                let trust = word(value, at: "\(path).trust", ProjectRules.SecretRule.Trust.self)
            {
                rule.trust = trust
            }
            if map["branches"] != nil || map["git_tags"] != nil {
                rule.refs = .listed(
                    branches: map["branches"].map { globs($0, at: "\(path).branches") } ?? [],
                    tags: map["git_tags"].map { globs($0, at: "\(path).git_tags") } ?? [])
            }
            return rule
        }.sorted { $0.name < $1.name }
    }

    /// Patterns of a rule about trust: such a rule says what it admits, never what it leaves out.
    mutating func globs(_ value: SpecValue, at path: String) -> [Glob] {
        let patterns = patterns(value, at: path)
        if !patterns.excluded.isEmpty {
            report(path, value.place, "says whom to trust, so it has no patterns with !; list what is meant")
        }
        return patterns.admitted
    }

    mutating func patterns(_ value: SpecValue, at path: String) -> Patterns {
        var patterns = Patterns()
        let items = list(value, at: path, of: "patterns", limit: ProjectFile.Bounds.patterns) ?? []
        if items.isEmpty, case .list = value.content {
            report(path, value.place, "is empty; leave it out, or list patterns such as main or release/*")
        }
        for (index, item) in items.enumerated() {
            guard let text = text(item, at: "\(path)[\(index)]", bytes: 1...Glob.longest) else { continue }
            let isExcluded = text.hasPrefix("!")
            let glob = Glob(isExcluded ? String(text.unicodeScalars.dropFirst()) : text)
            if let problem = Glob.problem(glob.text) {
                report("\(path)[\(index)]", item.place, problem)
            } else if isExcluded {
                patterns.excluded.append(glob)
            } else {
                patterns.admitted.append(glob)
            }
        }
        return patterns
    }
}

extension ProjectRules.User {
    /// Numbers first.
    fileprivate var order: (UInt64, String) {
        switch self {
        case .id(let id): (id, "")
        case .name(let name): (.max, name)
        }
    }
}
