// Files of projects as people write them: the page's example, templates and environments, and every mistake with its
// place.

import BulkheadCLI
import Foundation
import JobModel
import ProjectModel
import Testing
import TrustModel
import YAMLDocuments

@Suite struct ProjectFileTests {
    /// The one whole example of docs/projects.md.
    @Test func theExampleOfThePage() throws {
        let page = try String(contentsOf: Sample.root.appending(path: "docs/projects.md"), encoding: .utf8)
        let parts = page.components(separatedBy: "```yaml\n")
        let example = try #require(parts.count == 2 ? parts[1].components(separatedBy: "```\n").first : nil)
        let (projects, problems) = Sample.read(example)
        #expect(problems == [])
        let project = try #require(projects.first)
        #expect(project.repository == .init(id: 4711, path: "acme/shop") && project.jobs.count == 3)
        #expect(project.pullRequests.allowedUsers == [.id(1001), .name("alice")])
        #expect(project.secrets.map(\.name) == ["deploy-key", "npm-token"] && project.secrets[1].refs == .protected)
        guard case .written(let test) = project.jobs[0].definition, case .file(let docs) = project.jobs[1].definition
        else {
            Issue.record("other definitions")
            return
        }
        #expect(test.image == "shop/node:22" && test.steps.map(\.run) == ["npm run test"] && test.project == "shop")
        #expect(test.env.map(\.name) == ["LANG", "NODE_ENV"] && test.name == "test")
        #expect(docs.path == "ci/docs.yaml" && docs.timeout == 600 && docs.retries == nil)
    }

    @Test func theLeast() throws {
        let project = try Sample.project()
        #expect(project.forge.url == "https://github.com" && project.defaultBranch == "main")
        #expect(project.pullRequests.approval == .forks && project.pullRequests.trust == .untrusted)
        #expect(project.jobs[0].events == [.push, .pullRequest] && project.jobs[0].branches.isEmpty)
    }

    @Test func parameters() throws {
        let project = try Sample.project(
            """
                templates:
                  t:
                    parameters: {image: a, limit: 60, text: null, on: true}
                    image: ${{ image }}:${{image}}
                    timeout: ${{ limit }}
                    env: {A: "x ${{ text }} y", "B": "${{on}}${{ limit }}", C: "$x {{ }} ${y}"}
                    steps: [{run: "${{ text }}", continue_on_error: "${{ on }}"}]
            """,
            jobs: "[{name: j, template: t, with: {text: '${{ image }}', limit: 90}, env: {A: own}}, "
                + "{name: k, template: t, with: {text: '$(x)'}}]")
        guard case .written(let own) = project.jobs[0].definition, case .written(let other) = project.jobs[1].definition
        else { throw CocoaError(.fileReadUnknown) }
        #expect(own.image == "a:a" && own.timeout == 90 && own.env.map(\.value) == ["own"])
        // What was put in is not looked through again.
        #expect(own.steps[0].run == "${{ image }}" && own.steps[0].continueOnError)
        #expect(other.env.map(\.value) == ["x $(x) y", "true60", "$x {{ }} ${y}"])
    }

    @Test func environments() throws {
        let project = try Sample.project(
            "    environments: {a: {A: a, B: a, C: a}, b: {B: b, C: b}}",
            jobs: "[{name: j, image: i, steps: [x], environment: [a, b], env: {C: own}}, "
                + "{name: k, ci_file: x, environment: b}]")
        guard case .written(let job) = project.jobs[0].definition, case .file(let file) = project.jobs[1].definition
        else { throw CocoaError(.fileReadUnknown) }
        #expect(job.env.map(\.value) == ["a", "b", "own"] && file.env.map(\.value) == ["b", "b"])
    }

    /// A file of the repository says what runs, and not whose secrets it has.
    @Test func aFileOfTheRepository() throws {
        let project = try Sample.project(
            jobs: "[{name: j, ci_file: x, timeout: 9, retries: 1, priority: 3, env: {A: ours}}]")
        guard case .file(let file) = project.jobs[0].definition else { throw CocoaError(.fileReadUnknown) }
        func job(_ text: String) throws -> JobFile {
            try file.job(YAMLSpec.document(text, of: .job), name: "j", of: project.name).get()
        }
        let read = try job("{image: i, name: theirs, timeout: 1h, retries: 5, env: {A: theirs, B: b}, steps: [x]}")
        #expect(read.project == "shop" && read.name == "j" && read.timeout == 9 && read.retries == 1)
        #expect(read.env.map(\.value) == ["ours", "b"] && read.schedule.priority == 3)
        for bad in [
            "{image: i, steps: [x], project: other}", "{image: i, steps: [x], needs: [1]}",
            "{image: i, steps: [x], events: [push]}", "{image: i}", "[]",
            "{image: i, steps: [{run: x, secrets: {A: s}}]}",
        ] {
            #expect(throws: JobFileProblems.self) { try job(bad) }
        }
    }

    @Test func everyMistakeAtOnce() {
        let (_, problems) = Sample.read(
            """
            projects:
              - name: Shop
                forge: {kind: githup}
                repository: shop
                secrets: {npm: {trust: untrusted}}
                jobs:
                  - name: a
                    image: b
                    timeout: soon
                    steps: [{rum: c}]
              - name: other
                jobs: [{name: a, events: [pus], template: t}]
            """)
        let places = [
            "2:11: projects[0].name", "3:19: projects[0].forge.kind", "4:17: projects[0].repository",
            "5:28: projects[0].secrets.npm.trust", "9:18: projects[0].jobs[0].timeout",
            "10:17: projects[0].jobs[0].steps[0].run", "10:18: projects[0].jobs[0].steps[0].rum",
            "11:5: projects[1].forge", "11:5: projects[1].repository", "12:31: projects[1].jobs[0].events[0]",
            "12:47: projects[1].jobs[0].template",
        ]
        for place in places { #expect(problems.contains { $0.hasPrefix(place + ": ") }, "\(place) in \(problems)") }
        #expect(problems.count == places.count, "\(problems)")
    }
}
