// Projects at random, in the form that the parser gives them.

import JobModel
import ProjectModel
import TrustModel

struct Made {
    private var random: Lehmer

    init(seed: Int) { random = Lehmer(seed: seed) }

    private mutating func flip() -> Bool { random.next(2) == 0 }
    private mutating func one<Item>(_ items: [Item]) -> Item { items[random.next(items.count)] }

    private mutating func some<Item>(_ most: Int, _ make: (inout Made, Int) -> Item) -> [Item] {
        (0..<random.next(most + 1)).map { make(&self, $0) }
    }

    /// Texts that YAML would take for something else, if it could.
    static let texts = [
        "true", "1.10", "0x1f", "null", "~", "", "a: b", "- x", "#x", "x #y", "'", "\"", "\\", "a\nb\n", "a\n\n",
        "\n",
        " x", "x ", "a\n  b", "\ta", "a\tb", "yes", "1e3", "2026-01-01", "é", "e\u{301}", "\u{1F600}", "\u{1B}[0m",
        "a\r\nb", "\u{2028}", "%x", "@x", "`x`", "{a}", "[a]", "&a", "*a", "!a", "|", ">", "${{ x }}", "a\\\nb",
        "make\nmake test\n", "=", "<<", "0o7", ".inf", "on", "-", "?", ":", "\u{85}", "x\n ", "\n x",
    ]

    private mutating func text() -> String { one(Self.texts) }

    private mutating func full() -> String {
        let text = text()
        return text.isEmpty ? "x" : text
    }

    private mutating func globs() -> [Glob] {
        some(3) { made, _ in
            Glob(made.one(["main", "release/*", "**", "v?", "*", "é", "true", "1", "a b", "#", "**/*.md"]))
        }
    }

    private mutating func patterns() -> Patterns { Patterns(admitted: globs(), excluded: globs()) }

    mutating func project() -> Project {
        var project = Project(
            name: one(["shop", "0", "true", "a.b-c_d", "1e3"]),
            forge: .init(
                kind: one(ProjectRules.Forge.Kind.allCases),
                url: one(["https://a", "https://a:8/x", "http://localhost"])),
            repository: one([
                .init(id: 7), .init(path: "a/b"), .init(id: 1 << 40, path: "a/b/c"), .init(path: "1/2"),
            ]),
            defaultBranch: one(["main", "é", "true", "1", "a/b"]))
        if project.forge.kind == .github, project.repository.path != nil, project.repository.id != nil {
            project.forge.app = one([nil, "Iv23li", "7"])
        }
        project.protectedBranches = globs()
        project.protectedTags = globs()
        project.pullRequests.trust = one(ProjectRules.PullRequests.Trust.allCases)
        project.pullRequests.approval = one(ProjectRules.PullRequests.Approval.allCases)
        project.pullRequests.allowedUsers =
            project.forge.kind == .gitlab
            ? [.id(3)] : one([[], [.id(3)], [.id(3), .id(9), .name("12"), .name("bob")]])
        project.secrets = some(3) { made, index in
            var rule = ProjectRules.SecretRule(name: "s\(index)")
            rule.trust = made.one(ProjectRules.SecretRule.Trust.allCases)
            let (branches, tags) = (made.globs(), made.globs())
            if !branches.isEmpty || !tags.isEmpty { rule.refs = .listed(branches: branches, tags: tags) }
            return rule
        }
        let names = project.secrets.map(\.name)
        project.jobs = (0...random.next(3)).map { job($0, names, project.name) }
        return project
    }

    private mutating func job(_ index: Int, _ secrets: [String], _ project: String) -> ProjectJob {
        let name = "\(index)" + text()
        var job = ProjectJob(name: name, definition: flip() ? .file(file()) : .written(written(name, secrets, project)))
        job.events = one([[.push], [.tag], [.pullRequest], [.push, .pullRequest], [.push, .tag, .pullRequest]])
        if job.events != [.tag] { (job.branches, job.paths) = (patterns(), patterns()) }
        if job.events.contains(.tag) { job.gitTags = patterns() }
        return job
    }

    private mutating func variables() -> [JobFile.Variable] {
        some(4) { made, index in JobFile.Variable(name: "A\(index)", value: made.text()) }
    }

    private mutating func file() -> ProjectJob.CIFile {
        var file = ProjectJob.CIFile(path: one(["x", "ci/a.yaml", "true", "1"]))
        if flip() { file.timeout = UInt32(random.next(604_800) + 1) }
        if flip() { file.priority = UInt8(random.next(101)) }
        if flip() { file.retries = UInt8(random.next(6)) }
        file.env = variables()
        return file
    }

    private mutating func written(_ name: String, _ secrets: [String], _ project: String) -> JobFile {
        let steps = (0...random.next(3)).map { step($0, secrets) }
        var job = JobFile(
            name: name, image: one(["a", "a/b:1@c", "1"]), platform: one(JobFile.Platform.allCases), steps: steps)
        job.project = project
        job.profile = one(JobFile.Profile.allCases)
        if flip() {
            job.resources.cpuMillis = UInt32(random.next(9_000) + 10)
            job.resources.memory = UInt64(random.next(1 << 30) + (1 << 29))
            job.resources.disk = one([1 << 20, (1 << 20) + 1, 1 << 29])
            job.resources.pids = UInt32(random.next(1_000) + 8)
            job.resources.gpus = UInt8(random.next(3))
            job.resources.gpuVendor = one([nil, .amd])
        }
        if flip() { job.timeout = UInt32(random.next(604_800) + 1) }
        if flip() { job.silenceTimeout = UInt32(random.next(604_800) + 1) }
        if flip() { job.schedule.priority = UInt8(random.next(101)) }
        if flip() { job.schedule.group = one(["g", "1", "true"]) }
        job.schedule.cancelInProgress = job.schedule.group != nil && flip()
        if flip() { job.schedule.queueTimeout = UInt32(random.next(604_800) + 1) }
        if flip() { job.schedule.retries = UInt8(random.next(6)) }
        job.schedule.tags = one([[], ["1", "a"], ["gpu"]])
        job.env = variables()
        return job
    }

    private mutating func step(_ index: Int, _ secrets: [String]) -> JobFile.Step {
        var step = JobFile.Step(name: flip() ? "step \(index + 1)" : full(), run: full())
        if flip() { step.timeout = UInt32(random.next(604_800) + 1) }
        step.continueOnError = flip()
        step.untrusted = flip()
        if !step.untrusted, flip() {
            step.secrets = secrets.enumerated().map { number, name in
                JobFile.SecretUse(name: name, form: one(JobFile.SecretUse.Form.allCases), variable: "V\(number)")
            }
        }
        return step
    }
}
