// Job files as people write them: places, types, several mistakes at once. Through the command itself, as a person sees
// it.

import BulkheadCLI
import Foundation
import JobModel
import Testing
import YAMLDocuments

/// What `YAMLSpec` says of a text: the job file, or its problems as they are printed.
private func read(_ text: String) -> (file: JobFile?, problems: [String]) {
    do {
        return (try YAMLSpec.jobFile(text), [])
    } catch let problems as JobFileProblems {
        return (nil, problems.problems.map(\.description))
    } catch {
        return (nil, ["unexpected: \(error)"])
    }
}

@Suite struct YAMLSpecTests {
    @Test func aWholeFile() throws {
        let (file, problems) = read(
            """
            name: build
            image: bulkhead/debian:latest
            platform: linux/arm64
            profile: build
            resources: {cpus: 0.5, memory: 2GiB, pids: 64, disk: 1GiB}
            timeout: 10m
            env:
              A: text
              B: 7
              C: true
            steps:
              - make
              - name: test
                run: |
                  make test
                timeout: 90s
                continue_on_error: true
            """)
        #expect(problems == [])
        let job = try #require(file)
        #expect(job.platform == .linuxARM64)
        #expect(job.profile == .build)
        #expect(job.resources.cpuMillis == 500)
        #expect(job.resources.memory == 2 << 30)
        #expect(job.timeout == 600)
        #expect(job.env.map(\.value) == ["text", "7", "true"])
        #expect(job.steps.map(\.run) == ["make", "make test\n"])
        #expect(job.steps[1].timeout == 90)
        #expect(job.steps[1].continueOnError)
    }

    @Test func jsonIsReadToo() {
        let (file, problems) = read(#"{"image": "x", "steps": [{"run": "true"}], "timeout": 5}"#)
        #expect(problems == [])
        #expect(file?.timeout == 5)
    }

    @Test func everyMistakeWithItsPlace() {
        let (_, problems) = read("image: bulkhead/busybox\nstesp: []\ntimeout: soon\nresources:\n  memory: lots\n")
        #expect(problems.contains { $0.hasPrefix("2:1: stesp: ") && $0.contains("did you mean 'steps'") })
        #expect(problems.contains { $0.hasPrefix("3:10: timeout: ") })
        #expect(problems.contains { $0.hasPrefix("5:11: resources.memory: ") })
        #expect(problems.contains { $0.contains("steps: is missing") })
        #expect(problems.count == 4)
    }

    @Test(arguments: [
        ("", "is empty"), ("image: [", "not valid YAML"), ("- a", "must be a mapping"),
        ("image: x\nimage: y\nsteps: [a]", "twice"), ("image: &a x\nsteps: *b", "not valid YAML"),
        ("image: x\nsteps: [{run: a, shell: b}]", "steps[0].shell"), ("image: x\nsteps: []", "is empty"),
        ("image: x\nsteps: [a]\nenv: {1A: b}", "env.1A"), ("image: x\nsteps: [a]\nenv: {BULKHEAD_X: b}", "reserved"),
        ("image: '-x'\nsteps: [a]", "not an image name"), ("image: x\nsteps: [a]\nplatform: linux/m68k", "platform"),
        ("image: x\nsteps: [a]\nresources: {memory: 64MiB, disk: 1GiB}", "live in memory"),
    ]) func aMistakeIsTold(_ text: String, _ expected: String) {
        let (file, problems) = read(text)
        #expect(file == nil)
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    /// Each line is nine times the line above: a few lines more, and no machine holds what they come to.
    @Test func aliasesOfAliases() {
        var text = "image: x\nsteps: [a]\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...4 {
            let items = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let (_, problems) = read(text)
        #expect(problems.count == 1 && problems[0].hasPrefix("6:1: a3: here the file comes to more than 2000 values"))
    }

    @Test func anAliasIsFine() {
        let (file, problems) = read("image: x\nenv: {A: &a text, B: *a}\nsteps: [&s {run: make}, *s]\n")
        #expect(problems == [] && file?.env.map(\.value) == ["text", "text"])
        #expect(file?.steps.map(\.run) == ["make", "make"])
    }

    @Test(arguments: [17, 900, 200_000]) func depth(_ levels: Int) {
        let nested = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        let (file, problems) = read("image: x\nsteps: \(nested)\n")
        #expect(file == nil && problems.count == 1)
        // libyaml's own bound is a thousand.
        #expect(levels > 1_000 || problems[0] == "2:23: is nested more than 16 deep", "\(problems)")
    }

    @Test func howManyMistakesMore() {
        let keys = (0..<150).map { "k\($0): 1\n" }.joined()
        do {
            _ = try YAMLSpec.jobFile("image: x\nsteps: [a]\n\(keys)")
            Issue.record("it was taken")
        } catch let problems as JobFileProblems {
            let lines = CommandFailure(problems, file: "job.yaml").description.split(separator: "\n")
            #expect(lines.count == 101 && lines.last == "job.yaml: and 50 more mistakes")
        } catch {
            Issue.record("\(error)")
        }
    }
}

@Suite struct JobFileTextTests {
    @Test func noLargerThanABody() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/job.yaml"
        let text = "#" + String(repeating: "x", count: JobFile.Bounds.bytes - 1)
        try folder.write("job.yaml", text)
        #expect(try JobFileText.read(path) == text)
        try folder.write("job.yaml", text + "x")
        for path in [path, "/dev/zero"] {
            let failure = #expect(throws: CommandFailure.self) { try JobFileText.read(path) }
            #expect(failure?.description.contains("larger than 1 MiB") == true)
        }
    }

    @Test func whatCannotBeReadIsNamed() throws {
        let folder = try TestFolder()
        try folder.write("latin", "x")
        try Data([0xE4]).write(to: URL(fileURLWithPath: "\(folder.path)/latin"))
        for (name, says) in [("none", "cannot read"), (".", "cannot read"), ("latin", "not UTF-8")] {
            let failure = #expect(throws: CommandFailure.self) { try JobFileText.read("\(folder.path)/\(name)") }
            #expect(failure?.description.contains(says) == true, "\(name): \(failure?.description ?? "")")
        }
    }
}
