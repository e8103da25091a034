// Plans: which jobs an event leads to, on what, by whose definition and with which secrets.

import ForgeModel
import JobModel
import ProjectModel
import Testing
import TrustModel

@Suite struct PlanTests {
    private static let jobs = """
        [
          {name: all, image: a, steps: [b]},
          {name: pushes, events: [push], branches: ["release/*", main], image: a, steps: [b]},
          {name: tags, events: [tag], git_tags: ["v*", "!*-rc*"], image: a, steps: [b]},
          {name: changes, events: [pull_request], branches: [main], image: a, steps: [b]},
          {name: source, events: [push, tag, pull_request], paths: ["src/**"], image: a, steps: [b]},
        ]
        """
    private static let keys = """
            protected_branches: ["release/*"]
            protected_tags: ["v*"]
            secrets:
              plain: {}
              soft: {trust: approved}
              main: {branches: [main], git_tags: [nightly]}
              feature: {branches: ["feature/*"], trust: approved}
        """
    private let project: Project

    init() throws { project = try Sample.project(Self.keys, jobs: Self.jobs) }

    private func plan(_ event: Event, files: [String]? = nil, approval: Approval? = nil) -> Plan {
        project.plan(for: event, files: files, approval: approval, Sample.revision)
    }

    private func work(_ event: Event, files: [String]? = nil, approval: Approval? = nil) -> Plan.Work? {
        if case .jobs(let work) = plan(event, files: files, approval: approval) { work } else { nil }
    }

    private func names(_ event: Event, files: [String]? = nil) -> [String] {
        work(event, files: files)?.jobs.map(\.name) ?? []
    }

    @Test func whichJobs() {
        #expect(names(Sample.push(.branch("main"))) == ["all", "pushes", "source"])
        #expect(names(Sample.push(.branch("release/1"))) == ["all", "pushes", "source"])
        #expect(names(Sample.push(.branch("release/1/2"))) == ["all", "source"])
        #expect(names(Sample.push(.branch("v1"))) == ["all", "source"])
        #expect(names(Sample.push(.tag("v1"))) == ["tags", "source"])
        #expect(names(Sample.push(.tag("v1-rc2"))) == ["source"])
        #expect(names(Sample.push(.tag("main"))) == ["source"])
        #expect(names(.change(Sample.change())) == ["all", "changes", "source"])
        #expect(names(.change(Sample.change(to: "other"))) == ["all", "source"])
    }

    /// What is not known leaves no job out.
    @Test func changedFiles() {
        let push = Sample.push(.branch("main"))
        #expect(names(push, files: ["src/a"]).contains("source"))
        #expect(names(push, files: ["doc/a", "src/b/c"]).contains("source"))
        #expect(!names(push, files: ["doc/src/a"]).contains("source"))
        #expect(!names(push, files: []).contains("source"))
        #expect(names(push, files: nil).contains("source"))
        #expect(names(Sample.push(.tag("v1")), files: ["doc/a"]) == ["tags", "source"])
        #expect(!names(.change(Sample.change()), files: ["doc/a"]).contains("source"))
    }

    @Test func whatRunsNothing() throws {
        #expect(plan(Sample.push(.branch("main"), after: nil)) == .nothing(.removed))
        #expect(plan(Sample.push(.tag("v1"), after: nil)) == .nothing(.removed))
        #expect(plan(.change(Sample.change(.closed))) == .nothing(.closed))
        #expect(plan(.change(Sample.change(.merged))) == .nothing(.closed))
        #expect(plan(.change(Sample.change(.other("labeled")))) == .nothing(.unchanged))
        #expect(plan(.change(Sample.change(commit: nil))) == .nothing(.noCommit))
        #expect(plan(.other("ping")) == .nothing(.noCode))
        #expect(plan(.hint(Hint(repository: Sample.own, status: "pending"))) == .nothing(.noCode))
        let button = Button(
            repository: Sample.own, identifier: "approve", head: Sample.commit("a"), tag: nil, app: [],
            sender: Sample.alice)
        #expect(plan(.button(button)) == .nothing(.noCode))
        let comment = Comment(
            repository: Sample.own, number: 5, author: Sample.alice, isByBot: false, isNew: true, branch: nil,
            body: "")
        #expect(plan(.comment(comment)) == .nothing(.noCode))
        let onlyTags = try Sample.project(jobs: "[{name: a, events: [tag], image: a, steps: [b]}]")
        let push = Sample.push(.branch("main"))
        #expect(onlyTags.plan(for: push, files: nil, approval: nil, Sample.revision) == .nothing(.noJob))
    }

    /// W13: an event of another repository, whatever it calls itself.
    @Test func anotherRepository() throws {
        let liar = Repository(id: 8, path: "acme/shop")
        #expect(plan(Sample.push(.branch("main"), to: liar)) == .nothing(.otherRepository))
        #expect(plan(.change(Sample.change(in: liar))) == .nothing(.otherRepository))
        let renamed = Repository(id: 7, path: "acme/store")
        #expect(work(Sample.push(.branch("main"), to: renamed)) != nil)
        var byPath = project
        byPath.repository = .init(path: "acme/shop")
        #expect(byPath.rules.owns(liar) && !byPath.rules.owns(renamed))
        #expect(!byPath.rules.owns(Repository(id: 7, path: "acme/Shop")))
    }

    /// W15: whatever a fork's commits say of jobs, its base says what runs; of a push only a protected branch does.
    @Test func whoseDefinition() {
        #expect(work(Sample.push(.branch("main")))?.definition == .commit(Sample.commit("a")))
        #expect(work(Sample.push(.tag("v1")))?.definition == .commit(Sample.commit("a")))
        #expect(work(Sample.push(.branch("feature/x")))?.definition == .branch("main"))
        #expect(work(Sample.push(.tag("nightly")))?.definition == .branch("main"))
        for head in [Sample.fork, nil, Sample.own] {
            #expect(work(.change(Sample.change(from: head)))?.definition == .commit(Sample.commit("b")))
            #expect(work(.change(Sample.change(from: head, at: nil)))?.definition == .branch("main"))
            #expect(
                work(.change(Sample.change(from: head, to: "release/1", at: nil)))?.definition == .branch("release/1"))
            #expect(work(.change(Sample.change(from: head, to: "feature/x")))?.definition == .branch("main"))
            let approved = work(.change(Sample.change(from: head)), approval: Sample.approval())
            #expect(approved?.definition == .commit(Sample.commit("b")) && approved?.source == Sample.commit("a"))
        }
    }

    @Test func whichSecrets() {
        #expect(work(Sample.push(.branch("main")))?.secrets == ["main", "plain", "soft"])
        #expect(work(Sample.push(.branch("release/1")))?.secrets == ["plain", "soft"])
        #expect(work(Sample.push(.branch("feature/x")))?.secrets == ["feature"])
        #expect(work(Sample.push(.tag("v1")))?.secrets == ["plain", "soft"])
        // Anybody who may write makes such a tag; the rule wants what is trusted.
        #expect(work(Sample.push(.tag("nightly")))?.secrets == [])
        #expect(work(.change(Sample.change()))?.secrets == [])
        #expect(work(.change(Sample.change()), approval: Sample.approval())?.secrets == ["soft"])
        #expect(work(.change(Sample.change(commit: Sample.commit("c"))), approval: Sample.approval())?.secrets == [])
    }

    /// A branch that only looks like a protected one is none, though Swift's `==` finds them equal.
    @Test func lookAlikes() throws {
        var project = try Sample.project("    secrets: {plain: {}}")
        project.defaultBranch = "caf\u{E9}"
        func trust(_ branch: String) -> TrustClass? {
            let plan = project.plan(for: Sample.push(.branch(branch)), files: nil, approval: nil, Sample.revision)
            return if case .jobs(let work) = plan { work.decision.trust } else { nil }
        }
        #expect("caf\u{E9}" == "cafe\u{301}")
        #expect(trust("caf\u{E9}") == .trusted && trust("cafe\u{301}") == .approved)
        project.defaultBranch = "main"
        for name in [
            "m\u{430}in", "main ", "Main", "main\0", "refs/heads/main", "main/", "\u{200B}main", "main\u{202E}",
        ] {
            #expect(trust(name) == .approved, "\(name)")
        }
    }

    /// W17: no past of an author counts. Who is named does not wait, if the commits are his, too; and has no secrets.
    @Test func allowedUsers() throws {
        let project = try Sample.project(
            "    pull_requests: {allowed_users: [66, bob]}\n    secrets: {s: {trust: approved}}")
        func decision(_ author: Account, _ sender: Account) -> TrustDecision? {
            let change = Sample.change(author: author, sender: sender)
            let plan = project.plan(for: .change(change), files: nil, approval: nil, Sample.revision)
            guard case .jobs(let work) = plan, work.secrets.isEmpty else { return nil }
            return work.decision
        }
        let bob = Account(id: 2, name: "bob")
        for (author, sender, waits) in [
            (Sample.mallory, Sample.mallory, false), (Sample.mallory, bob, false), (bob, bob, false),
            (Sample.mallory, Sample.alice, true), (Sample.alice, Sample.mallory, true),
            (Account(id: 3, name: "mallory"), Account(id: 3, name: "mallory"), true),
            (Account(id: 3, name: "BOB"), Account(id: 3, name: "BOB"), true),
        ] {
            #expect(decision(author, sender)?.isHeld == waits && decision(author, sender)?.trust == .untrusted)
        }
    }

    @Test func aJobWhoseSecretsAreNotThere() throws {
        let project = try Sample.project(
            "    secrets: {s: {}}",
            jobs: "[{name: a, image: b, steps: [{run: c, secrets: {A: s, B: bulkhead-job-token}}]}]")
        guard case .written(let job)? = project.jobs.first?.definition else { throw Unexpected() }
        func missing(_ event: Event) -> [String]? {
            let plan = project.plan(for: event, files: nil, approval: nil, Sample.revision)
            let named = job.steps.flatMap(\.secrets).map(\.name)
            return if case .jobs(let work) = plan { work.missing(named) } else { nil }
        }
        #expect(missing(Sample.push(.branch("main"))) == [])
        #expect(missing(Sample.push(.branch("other"))) == ["s"])
        #expect(missing(.change(Sample.change())) == ["s"])
    }

    /// W18: what strangers write changes nothing of what is planned but the names that filters look at.
    @Test(arguments: [
        "$(id)", "`id`", "a\nb", "a\0", "%0a", "\u{1B}]52;c;x\u{7}", "\u{202E}", "../..", "-rf", "${{ x }}",
    ])
    func wordsOfStrangers(_ word: String) {
        let account = Account(id: 66, name: word)
        let side = Change.Side(
            repository: Repository(id: 8, path: word), branch: word, commit: Sample.commit("a"))
        let plain = Sample.change()
        let change = Change(
            repository: plain.repository, number: 5, action: .opened, head: side, base: plain.base, author: account,
            sender: account, isDraft: false)
        #expect(plan(.change(change)) == plan(.change(plain)))
        #expect(work(Sample.push(.branch(word)))?.definition == .branch("main"))
        #expect(work(Sample.push(.branch(word)))?.secrets == [])
    }

    private struct Unexpected: Error {}
}
