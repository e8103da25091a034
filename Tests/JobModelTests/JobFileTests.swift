// JobFile: good files with all their defaults.

import Documents
import JobModel
import Testing

struct JobFileTests {
    @Test func theLeast() throws {
        let file = try JobFile.parse(["image": "bulkhead/busybox", "steps": ["true"]]).get()
        #expect(file.name == "bulkhead/busybox" && file.image == "bulkhead/busybox")
        #expect(file.platform == .host && file.profile == .strict && file.timeout == 3600 && file.env.isEmpty)
        #expect(file.resources.cpuMillis == 1000 && file.resources.memory == 1 << 30)
        #expect(file.resources.pids == 256 && file.resources.disk == 512 << 20)
        #expect(file.steps == [JobFile.Step(name: "step 1", run: "true")])
    }

    @Test func everything() throws {
        let file = try JobFile.parse([
            "name": "all", "image": "localhost:5000/a/b:1@sha256:00", "platform": "linux/riscv64", "profile": "build",
            "resources": ["cpus": 1.25, "memory": "2GiB", "pids": 8, "disk": "2GiB"], "timeout": "7d",
            "env": ["A": "", "B": 3, "C": true, "_9": "x"],
            "steps": ["one", ["name": "two", "run": "b", "timeout": "90s", "continue_on_error": true]],
        ]).get()
        #expect(file.platform == .linuxRISCV64 && file.profile == .build && file.timeout == 604_800)
        #expect(file.resources.cpuMillis == 1250 && file.resources.disk == 2 << 30 && file.resources.pids == 8)
        #expect(file.env.map(\.name) == ["A", "B", "C", "_9"] && file.env.map(\.value) == ["", "3", "true", "x"])
        #expect(file.steps[0].name == "step 1" && file.steps[1].timeout == 90 && file.steps[1].continueOnError)
    }

    @Test func projectAndSecrets() throws {
        let plain = try JobFile.parse(["image": "a", "steps": ["b"]]).get()
        #expect(plain.project == "default" && !plain.steps[0].untrusted && plain.steps[0].secrets.isEmpty)
        let file = try JobFile.parse([
            "project": "0shop.web_a-b", "image": "a",
            "steps": [
                ["run": "a", "untrusted": true, "secrets": [:]],
                [
                    "run": "b", "untrusted": false,
                    "secrets": [
                        "TOKEN": "NPM_token.1", "KEY": ["secret": "ssh", "as": "file"],
                        "V": ["secret": "x", "as": "variable"],
                        "W": ["secret": "bulkhead-job-token"],
                    ],
                ],
            ],
        ]).get()
        #expect(file.project == "0shop.web_a-b" && file.steps[0].untrusted && !file.steps[1].untrusted)
        #expect(
            file.steps[1].secrets == [
                .init(name: "NPM_token.1", form: .variable, variable: "TOKEN"),
                .init(name: "ssh", form: .file, variable: "KEY"), .init(name: "x", variable: "V"),
                .init(name: "bulkhead-job-token", variable: "W"),
            ])
    }

    @Test func aSmallJobNeedsNoDisk() throws {
        let file = try JobFile.parse(["image": "a", "steps": ["true"], "resources": ["memory": "16MiB"]]).get()
        #expect(file.resources.memory == 16 << 20 && file.resources.disk == 8 << 20)
    }

    @Test func aLongImageIsNoLongName() throws {
        let image = String(repeating: "a", count: JobFile.Bounds.imageBytes)
        let file = try JobFile.parse(["image": SpecValue(.string(image)), "steps": ["true"]]).get()
        #expect(file.image == image && file.name.utf8.count == JobFile.Bounds.nameBytes)
    }

    @Test func shapesAlone() throws {
        let file = try JobFile.parseShape(["image": "a", "profile": "build", "resources": ["pids": 9]]).get()
        #expect(file.image == "a" && file.profile == .build && file.resources.pids == 9)
        #expect(
            Mistakes.of(JobFile.parseShape(["steps": ["a"], "platfrom": "x"])).map(\.path) == [
                "steps", "platfrom", "image",
            ])
        #expect(Mistakes.of(JobFile.parseShape(3)).map(\.path) == [""])
    }
}

enum Mistakes {
    static func of(_ result: Result<JobFile, JobFileProblems>) -> [JobFileProblem] {
        guard case .failure(let problems) = result else { return [] }
        return problems.problems
    }
}
