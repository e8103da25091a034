// `gitlab_runner` of a project: what is read of it, that it reads back, what of it is in the canonical bytes, and each
// mistake with its place.

import BulkheadCLI
import JobModel
import JobWire
import ProjectModel
import Testing
import TrustModel
import Wire
import YAMLDocuments

@Suite struct ProjectRunnerTests {
    private static func text(_ runner: String, forge: String = "gitlab", jobs: String? = nil) -> String {
        """
        projects:
          - name: shop
            forge: {kind: \(forge)}
            repository: {id: 7, path: acme/shop}
        \(runner.isEmpty ? "" : "    gitlab_runner: \(runner)\n")\(jobs.map { "    jobs: \($0)\n" } ?? "")
        """
    }

    private static func project(_ runner: String, jobs: String? = nil) throws -> Project {
        let (projects, problems) = Sample.read(text(runner, jobs: jobs))
        #expect(problems == [])
        return try #require(projects.first)
    }

    @Test func theLeast() throws {
        let project = try Self.project("{image: debian, tags: [bulkhead]}")
        let runner = try #require(project.runner)
        #expect(runner.tags == ["bulkhead"] && !runner.runUntagged && runner.registration == .pool)
        #expect(runner.job.image == "debian" && runner.job.timeout == 3600 && project.jobs.isEmpty)
    }

    @Test func allOfIt() throws {
        let project = try Self.project(
            "{image: debian, tags: [b, a, b], run_untagged: true, registration: runner, platform: linux/arm64, "
                + "profile: build, resources: {cpus: 2, memory: 2GiB}, timeout: 10m, priority: 7}",
            jobs: "[{name: test, image: a, steps: [b]}]")
        let runner = try #require(project.runner)
        #expect(runner.tags == ["a", "b"] && runner.runUntagged && runner.registration == .runner)
        #expect(runner.job.timeout == 600 && runner.job.schedule.priority == 7 && runner.job.profile == .build)
        #expect(runner.job.resources.cpuMillis == 2000 && runner.job.resources.memory == 2 << 30)
        #expect(project.jobs.count == 1)
    }

    static let good = [
        "{image: debian, tags: [bulkhead]}", "{image: debian, run_untagged: true}",
        "{image: debian, tags: [b, a], run_untagged: true}", "{image: debian, tags: ['true', '1', 'a b', é]}",
        "{image: debian, tags: [a], registration: runner}", "{image: debian, tags: [a], registration: pool}",
        "{image: 'a/b:1', tags: [a], platform: linux/riscv64, profile: build, timeout: 90s, priority: 0}",
        "{image: debian, tags: [a], protected_only: true}", "{image: debian, tags: [a], protected_only: false}",
        "{image: debian, tags: [a], images: ['shop/*', debian, debian]}",
        "{image: debian, tags: [a], resources: {cpus: 0.5, memory: 64MiB, disk: 32MiB, pids: 64, gpus: 1}}",
    ]

    @Test(arguments: good, [nil, "[{name: test, image: a, steps: [b]}]"])
    func itReadsBack(_ runner: String, _ jobs: String?) throws {
        let project = try Self.project(runner, jobs: jobs)
        #expect(project.runner != nil)
        let document = ProjectFile.document([project])
        #expect(try ProjectFile.parse(document).get() == [project])
        let again = Sample.read(try YAMLText.text(document))
        #expect(again.projects == [project], "\(again.problems)")
    }

    /// An approval is bound to these bytes, and so is the revision under which brokerd lets jobs of GitLab's in.
    @Test func everyDifferenceIsInTheBytes() throws {
        let jobs = "[{name: test, image: a, steps: [b]}]"
        let different = [
            "{image: debian, tags: [a]}", "{image: debian, tags: [b]}", "{image: debian, tags: [a, b]}",
            "{image: debian, tags: [a], run_untagged: true}", "{image: debian, tags: [a], registration: runner}",
            "{image: alpine, tags: [a]}", "{image: debian, tags: [a], timeout: 1m}",
            "{image: debian, tags: [a], priority: 1}", "{image: debian, tags: [a], profile: build}",
            "{image: debian, tags: [a], resources: {cpus: 2}}", "{image: debian, tags: [a], protected_only: true}",
            "{image: debian, tags: [a], images: [debian]}", "{image: debian, tags: [a], images: ['debian*']}", "",
        ]
        let rules = try different.dropLast().map {
            try #require(try Self.project($0, jobs: jobs).runner).rule.encoded()
        }
        #expect(Set(rules).count == rules.count, "brokerd has the hash of these")
        let bytes = try different.map { try Self.project($0, jobs: jobs).canonicalBytes }
        #expect(Set(bytes).count == different.count)
        let order = try ["[a, b]", "[b, a, a]"].map { try Self.project("{image: debian, tags: \($0)}").canonicalBytes }
        #expect(order[0] == order[1], "what is the same runner is the same bytes")
    }

    @Test(arguments: [
        ("{tags: [a]}", "20", "gitlab_runner.image: is missing; it is the image of jobs that name none"),
        ("{image: debian}", "20", "gitlab_runner: takes no job: give it `tags`, or `run_untagged: true`"),
        ("{image: debian, tags: [], run_untagged: false}", "20", "gitlab_runner: takes no job"),
        ("{image: debian, run_untagged: 1}", "50", "gitlab_runner.run_untagged: must be true or false"),
        ("{image: debian, tags: a}", "42", "gitlab_runner.tags: must be a list of tags"),
        ("{image: debian, tags: [a, '']}", "46", "gitlab_runner.tags[1]: must not be empty"),
        ("{image: debian, tags: [a], registration: shared}", "61", "known are pool, runner"),
        ("{image: debian, tags: [a], token: x}", "47", "gitlab_runner.token: is not known"),
        ("{image: debian, tags: [a], steps: [x]}", "47", "gitlab_runner.steps: is not known"),
        ("{image: debian, tag: [a], run_untagged: true}", "36", "did you mean 'tags'"),
        ("{image: 'a b', tags: [a]}", "28", "gitlab_runner.image: is not an image name"),
        ("{image: debian, tags: [a], timeout: never}", "56", "gitlab_runner.timeout: is not understood"),
        ("{image: debian, tags: [a], priority: 101}", "57", "gitlab_runner.priority: must be"),
        ("{image: a, tags: [a], resources: {memory: much}}", "62", "gitlab_runner.resources.memory: is not understood"),
        ("{image: a, tags: [a], protected_only: 1}", "58", "gitlab_runner.protected_only: must be true or false"),
        ("{image: debian, tags: [a], images: [busybox, 'debian:*', deb]}", "28", "gitlab_runner.image: is not in `im"),
        ("{image: a, tags: [a], images: []}", "50", "gitlab_runner.images: is empty; leave it out"),
        ("{image: a, tags: [a], images: a}", "50", "gitlab_runner.images: must be a list of images"),
        ("{image: a, tags: [a], images: [a, '*']}", "54", "gitlab_runner.images[1]: is not an image name"),
        ("{image: a, tags: [a], images: [a, '*/a']}", "54", "gitlab_runner.images[1]: is not an image name"),
        ("{image: a, tags: [a], images: [a, 'a**']}", "54", "gitlab_runner.images[1]: is not an image name"),
        ("[bulkhead]", "20", "gitlab_runner: must be a mapping"), ("null", "20", "gitlab_runner: must be a mapping"),
    ]) func mistakes(_ runner: String, _ column: String, _ says: String) {
        let (projects, problems) = Sample.read(Self.text(runner))
        #expect(projects.isEmpty)
        #expect(problems.contains { $0.contains(says) && $0.hasPrefix("5:\(column): projects[0].") }, "\(problems)")
    }

    @Test func thirtyTwoImages() throws {
        func images(_ count: Int) -> String {
            "{image: i1, tags: [a], images: [\((1...count).map { "i\($0)" }.joined(separator: ", "))]}"
        }
        #expect(try Self.project(images(32)).runner?.images.count == 32)
        let problems = Sample.read(Self.text(images(33))).problems
        #expect(problems.contains { $0.contains("gitlab_runner.images: ") && $0.contains("32") }, "\(problems)")
    }

    @Test(arguments: [
        ("debian", "debian", true), ("debian", "debian:latest", false), ("debian", "Debian", false),
        ("debian*", "debian", true), ("debian*", "debian:12", true), ("debian*", "debianish/evil", true),
        ("shop/*", "shop/build:1", true), ("shop/*", "shop", false), ("shop/*", "a/shop/build", false),
        ("docker.io/library/debian", "debian", false),
    ]) func whatAPatternAdmits(_ pattern: String, _ image: String, _ admits: Bool) {
        #expect(ImagePattern.admits([ImagePattern("other"), ImagePattern(pattern)], image) == admits)
        #expect(ImagePattern.admits([], image), "where none is listed, any will do")
    }

    @Test(arguments: ["github", "gitea, url: 'https://a'", "forgejo, url: 'https://a'"])
    func anotherForge(_ forge: String) {
        let (projects, problems) = Sample.read(Self.text("{image: debian, tags: [a]}", forge: forge))
        #expect(projects.isEmpty && problems.count == 1)
        let says = "gitlab_runner: is for a project whose forge is gitlab"
        #expect(problems.allSatisfy { $0.contains(says) && $0.hasPrefix("5:20: ") }, "\(problems)")
    }

    /// What has a runner gets its jobs from GitLab; whatever has none needs some of its own.
    @Test func withoutJobs() {
        #expect(Sample.read(Self.text("{image: debian, tags: [a]}")).problems == [])
        let problems = Sample.read(Self.text("")).problems
        #expect(problems.count == 1 && problems[0].contains("jobs: is missing; list at least one job"), "\(problems)")
        #expect(Sample.read(Self.text("{image: debian, tags: [a]}", jobs: "[]")).problems.count == 1)
    }
}
