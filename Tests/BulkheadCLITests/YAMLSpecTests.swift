// Job files as people write them: places, types, several mistakes at once. Through the command itself, as a person sees it.

import BulkheadCLI
import Foundation
import JobModel
import Testing

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
}
