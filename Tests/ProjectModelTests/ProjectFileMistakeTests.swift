// Each mistake that a person can make in a file of projects, by the key that it is told at and a word of the mend.

import ProjectModel
import Testing
import TrustModel

@Suite struct ProjectFileMistakeTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        let keys: String
        let jobs: String
        let says: String

        init(_ keys: String = "", jobs: String = "[{name: test, image: a, steps: [b]}]", _ says: String) {
            self.keys = keys.isEmpty ? "" : "    " + keys
            self.jobs = jobs
            self.says = says
        }

        var testDescription: String { keys + " " + jobs }
    }

    static let projects: [Mistake] = [
        .init("default_branch: refs/heads/main", "default_branch: is not the name"),
        .init("default_branch: '*'", "default_branch"), .init("default_branch: a..b", "one branch"),
        .init("default_branch: ''", "empty"), .init("protected_branches: main", "must be a list of patterns"),
        .init("protected_branches: ['!main']", "no patterns with !"), .init("protected_branches: []", "is empty"),
        .init("protected_branches: ['[a-z]']", "protected_branches[0]: knows *"),
        .init("protected_branches: [/main]", "leave that out"), .init("protected_tags: [1.0]", "quotes"),
        .init("protected_tag: [v]", "did you mean 'protected_tags'"),
        .init("pull_requests: {trust: trusted}", "pull_requests.trust"),
        .init("pull_requests: {approval: fork}", "'forks'"), .init("pull_requests: all", "must be a mapping"),
        .init("pull_requests: {allowed_users: [0]}", "allowed_users[0]"),
        .init("pull_requests: {allowed_users: [a, a]}", "allowed_users[1]: is given twice"),
        .init("secrets: [a]", "names to rules"), .init("secrets: {a: {refs: [main]}}", "secrets.a.refs"),
        .init("secrets: {a: {trust: untrusted}}", "secrets.a.trust"), .init("secrets: {'a b': {}}", "is not a name"),
        .init("secrets: {a: {branches: ['!main']}}", "no patterns with !"),
        .init("secrets: {a: null}", "it is nothing"),
        .init("secrets: {bulkhead-job-token: {}}", "each job's own"),
        .init("environments: {ci: {1A: x}}", "environments.ci.1A"), .init("environments: {ci: 3}", "environments.ci"),
        .init("environments: {ci: {BULKHEAD_X: x}}", "reserved"),
        .init("templates: {t: {imag: x}}", "templates.t.imag"), .init("templates: {t: {name: x}}", "templates.t.name"),
        .init("templates: {t: {image: '${{ x }}'}}", "no parameter of the template; it has none"),
        .init("templates: {t: {parameters: {a: 1}, image: '${{ x }}'}}", "known are a"),
        .init("templates: {t: {image: '${{ x'}}", "without }}"),
        .init("templates: {t: {parameters: {a: 1.5}}}", "templates.t.parameters.a"),
        .init("templates: {t: {parameters: {a: [b]}}}", "it is a list"),
    ]

    static let jobs: [Mistake] = [
        .init(jobs: "[]", "list at least one job"), .init(jobs: "{}", "must be a list of jobs"),
        .init(jobs: "[{image: a, steps: [b]}]", "jobs[0].name: is missing"),
        .init(jobs: "[{name: a, image: b, steps: [c]}, {name: a, image: b, steps: [c]}]", "jobs[1].name: 'a'"),
        .init(jobs: "[{name: a}]", "jobs[0].image: is missing"),
        .init(jobs: "[{name: a, image: b, steps: [c], project: x}]", "jobs[0].project: is not known"),
        .init(jobs: "[{name: a, image: b, steps: [c], needs: [1]}]", "jobs[0].needs: is not known"),
        .init(jobs: "[{name: a, image: b, steps: [c], event: [push]}]", "did you mean 'events'"),
        .init(jobs: "[{name: a, image: b, steps: [c], events: []}]", "is empty; list push"),
        .init(jobs: "[{name: a, image: b, steps: [c], events: [push, push]}]", "events[1]: is given twice"),
        .init(jobs: "[{name: a, image: b, steps: [c], events: [tags]}]", "'tag'"),
        .init(jobs: "[{name: a, image: b, steps: [c], events: [tag], branches: [x]}]", "branches: says nothing"),
        .init(jobs: "[{name: a, image: b, steps: [c], git_tags: [x]}]", "git_tags: says nothing"),
        .init(jobs: "[{name: a, image: b, steps: [c], events: [tag], paths: [x]}]", "paths: says nothing"),
        .init(jobs: "[{name: a, image: b, steps: [c], paths: ['{a,b}']}]", "paths[0]: knows *"),
        .init(jobs: "[{name: a, image: b, steps: [c], env: {A: 1.5}}]", "jobs[0].env.A"),
        .init(jobs: "[{name: a, image: b, steps: [{run: c, secrets: {A: s}}]}]", "for which the project has no rule"),
        .init(jobs: "[{name: a, image: b, steps: [c], environment: ci}]", "is no environment of this project"),
        .init(jobs: "[{name: a, template: t}]", "is no template of this project"),
        .init(jobs: "[{name: a, image: b, steps: [c], with: {x: y}}]", "with: says nothing"),
        .init(jobs: "[{name: a, ci_file: x, image: b}]", "image: stands in the ci_file"),
        .init(jobs: "[{name: a, ci_file: x, steps: [b]}]", "steps: stands in the ci_file"),
        .init(jobs: "[{name: a, ci_file: ../x}]", "is not the path"), .init(jobs: "[{name: a, ci_file: /x}]", "is not"),
        .init(jobs: "[{name: a, ci_file: x, timeout: never}]", "jobs[0].timeout: is not understood"),
        .init(jobs: "[{name: a, ci_file: 'a b', priority: 101}]", "is not the path"),
        .init(jobs: "[{name: a, ci_file: 'a b', priority: 101}]", "jobs[0].priority"),
    ]

    static let templates: [Mistake] = [
        .init("templates: {t: {parameters: {p: null}}}", jobs: "[{name: a, template: t}]", "with.p: is missing"),
        .init("templates: {t: {}}", jobs: "[{name: a, template: t, with: {q: 1}}]", "with.q: is not known"),
        .init("templates: {t: {parameters: {p: 1}}}", jobs: "[{name: a, template: t, with: {p: []}}]", "with.p: must"),
        .init(
            "templates: {t: {parameters: {p: 1}, image: '${{ p }} x', steps: [a]}}", jobs: "[{name: a, template: t}]",
            "jobs[0].image: is not an image name"),
    ]

    @Test(arguments: projects + jobs + templates) func one(_ mistake: Mistake) {
        let (projects, problems) = Sample.read(Sample.text(mistake.keys, jobs: mistake.jobs))
        #expect(projects.isEmpty)
        #expect(problems.contains { $0.contains(mistake.says) }, "\(problems)")
    }

    @Test(arguments: [
        ("{kind: gitea}", "url: is missing"), ("{url: https://a}", "kind: is missing"), ("github", "must be a mapping"),
        ("{kind: gitea, url: 'http://git.example.org'}", "this machine alone"),
        ("{kind: gitea, url: 'ftp://a'}", "address of a forge"), ("{kind: gitea, url: 'https://'}", "address"),
        ("{kind: gitea, url: 'https://u:p@a'}", "address"), ("{kind: gitea, url: 'https://a/?q'}", "address"),
        ("{kind: gitea, url: 'https://a/../b'}", "address"), ("{kind: gitea, url: 'https://a:0'}", "address"),
        ("{kind: gitea, url: 'https://a:80:80'}", "address"), ("{kind: gitea, url: 'https://a//b'}", "address"),
        ("{kind: gitea, url: 'https://a', app: x}", "forge.app: is for a project whose forge is github"),
        ("{kind: github, app: 'a b'}", "client ID"), ("{kind: github, app: 'a\"'}", "client ID"),
        ("{kind: github, app: ''}", "app: "), ("{kind: github, app: -1}", "app: "),
        ("{kind: gitea, url: 'https://-a'}", "address"), ("{kind: gitea, url: \"https://a\\n\"}", "address"),
    ]) func forges(_ forge: String, _ says: String) {
        let text = Sample.text("").replacing("{kind: github}", with: forge)
        #expect(Sample.read(text).problems.contains { $0.contains(says) }, "\(Sample.read(text).problems)")
        for good in ["https://a", "https://a:8443/git/", "http://localhost:3000", "http://127.0.0.1:1"] {
            #expect(Sample.read(Sample.text("").replacing("github", with: "gitea, url: '\(good)'")).problems == [])
        }
    }

    @Test func anApp() throws {
        for (app, read) in [("Iv23liAb_C.d-E", "Iv23liAb_C.d-E"), ("301", "301")] {
            let (projects, problems) = Sample.read(
                Sample.text("").replacing("{kind: github}", with: "{kind: github, app: \(app)}"))
            #expect(problems == [] && projects.first?.rules.forge.app == read)
        }
        let text = Sample.text("").replacing("{kind: github}", with: "{kind: github, app: a}")
        let number = text.replacing("{id: 7, path: acme/shop}", with: "{id: 7}")
        #expect(text != number)
        let name = text.replacing("{id: 7, path: acme/shop}", with: "acme/shop")
        for half in [number, name] {
            #expect(Sample.read(half).problems.contains { $0.contains("needs id and path beside an app") })
        }
    }

    /// GitLab's deliveries do not name an author.
    @Test func namesAtGitLab() {
        for (users, count) in [("[1, alice]", 1), ("[1]", 0)] {
            let text = Sample.text("    pull_requests: {allowed_users: \(users)}")
            #expect(Sample.read(text).problems == [])
            #expect(Sample.read(text.replacing("github", with: "gitlab")).problems.count == count)
        }
    }

    @Test(arguments: ["shop", "a/", "/a", "a//b", "a/..", "a/b c", "a/b?", "{}", "{id: 0}", "{id: x}", "{id: -1}"])
    func repositories(_ name: String) {
        let text = Sample.text("").replacing("{id: 7, path: acme/shop}", with: name)
        #expect(Sample.read(text).problems.count == 1, "\(Sample.read(text).problems)")
    }

    @Test(arguments: [
        ("", "is empty; write at least projects"), ("a: b", "projects: is missing"), ("projects: []", "is empty"),
        ("projects: {}", "must be a list"), ("- a", "must be a mapping"),
    ]) func files(_ text: String, _ says: String) {
        #expect(Sample.read(text).problems.contains { $0.contains(says) }, "\(Sample.read(text).problems)")
    }

    /// A few lines of a template, and many jobs of it: what that comes to has a bound for the whole file.
    @Test func aSmallFileThatComesToVeryMuch() {
        func file(jobs: Int) -> String {
            let text = String(repeating: "${{ p }}", count: 500)
            let steps = (0..<32).map { _ in "'x\(text)'" }.joined(separator: ", ")
            let template = "    templates: {t: {parameters: {p: ''}, image: a, steps: [\(steps)]}}"
            let names = (0..<jobs).map { "{name: j\($0), template: t}" }.joined(separator: ", ")
            return Sample.text(template, jobs: "[\(names)]")
        }
        #expect(Sample.read(file(jobs: 20)).problems == [])
        #expect(Sample.read(file(jobs: 64)).problems.contains { $0.contains("may come to 32 MiB") })
    }

    @Test func moreThanThereMayBeIsCountedFirst() {
        let jobs = (0..<65).map { "{name: j\($0), template: none}" }.joined(separator: ", ")
        let problems = Sample.read(Sample.text("", jobs: "[\(jobs)]")).problems
        #expect(problems.count == 65, "one of the list, and one of each that fits")
    }

    @Test func twoOfOneName() {
        let text = Sample.text("")
        let twice = text + "\n" + text.split(separator: "\n").dropFirst().joined(separator: "\n")
        #expect(Sample.read(twice).problems.count == 1)
        #expect(Sample.read(twice.replacing("name: shop", with: "name: other", maxReplacements: 1)).problems == [])
    }

    /// Every mistake is told, and nothing that only follows from one.
    @Test(arguments: [
        ("", "[{name: a, image: b, steps: [c], events: push, branches: [x]}]", ["jobs[0].events: must be a list"]),
        ("", "[{name: a, image: b, steps: [c], events: [pusj], paths: [x]}]", ["jobs[0].events[0]: is not known"]),
        (
            "", "[{name: a, image: b, steps: [], events: [tags], branches: ['{a}'], nme: x}]",
            ["steps: is empty", "events[0]: is not", "branches[0]: knows *", "nme: is not"]
        ),
        (
            "", "[{name: a, template: t, timeout: never, events: [tags], branches: [x]}]",
            ["template: is no template", "timeout: is not understood", "events[0]: is not"]
        ),
        ("templates: {t: {imag: x}}", "[{name: a, template: t}]", ["templates.t.imag: is not known"]),
        ("templates: [t]", "[{name: a, template: t, branches: [x]}]", ["templates: must be a mapping"]),
        (
            "templates: {t: {parameters: {p: 1.5}, image: '${{ p }}', steps: [c]}}",
            "[{name: a, template: t, with: {p: 1}}]", ["templates.t.parameters.p: is a number"]
        ),
        (
            "templates: {t: {parameters: {p: null}, image: '${{ p }}', steps: [c]}}",
            "[{name: a, template: t, with: p, priority: 101}]", ["with: must be a mapping", "priority: must be"]
        ),
        ("secrets: [s]", "[{name: a, image: b, steps: [{run: c, secrets: {A: s}}]}]", ["secrets: must be a mapping"]),
        (
            "", "[{name: a, image: b, timeout: never, steps: [{run: c, secrets: {A: s, B: {secret: t}}}]}]",
            ["timeout: is not understood", "secret 's', for which", "secret 't', for which"]
        ),
        ("environments: [e]", "[{name: a, image: b, steps: [c], environment: e}]", ["environments: must be"]),
        (
            "", "[{name: a, image: b, steps: [c], environment: e, env: 3}]",
            ["environment: is no environment", "env: must be a mapping"]
        ),
        ("", "[{name: [], image: b, steps: [c]}]", ["jobs[0].name: must be a text"]),
        ("", "[{name: a, steps: [c]}, {name: a, image: b, steps: [c]}]", ["image: is missing", "'a' is given twice"]),
        (
            "", "[{name: a, image: b, steps: [c], resources: {memory: much, disk: 8GiB}}]",
            ["resources.memory: is not understood"]
        ),
    ]) func allAndNoMore(_ keys: String, _ jobs: String, _ expected: [String]) {
        let mistake = Mistake(keys, jobs: jobs, "")
        let problems = Sample.read(Sample.text(mistake.keys, jobs: mistake.jobs)).problems
        #expect(problems.count == expected.count, "\(problems)")
        for words in expected { #expect(problems.contains { $0.contains(words) }, "\(words): \(problems)") }
    }
}
