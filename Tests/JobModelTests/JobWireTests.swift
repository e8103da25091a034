// A job file in the words of the wire: all of it arrives, and the order in which a map was written does not change it.

import Documents
import JobModel
import JobWire
import Testing
import Wire

struct JobWireTests {
    private static let steps: SpecValue = [
        ["name": "build", "run": "make", "untrusted": true, "timeout": 60, "continue_on_error": true],
        [
            "name": "publish", "run": "push",
            "secrets": [
                "TOKEN": "npm", "KEY": ["secret": "ssh", "as": "file"], "AGAIN": "npm", "ME": "bulkhead-job-token",
            ],
        ],
    ]

    private static func file(_ changes: [SpecValue.Entry] = []) throws -> JobFile {
        var entries: [SpecValue.Entry] = [
            .init(key: "project", value: "shop"), .init(key: "image", value: "a"),
            .init(key: "platform", value: "linux/riscv64"), .init(key: "profile", value: "build"),
            .init(key: "env", value: ["B": "1", "A": "2"]), .init(key: "steps", value: steps),
        ]
        for change in changes {
            entries.removeAll { $0.key == change.key }
            entries.append(change)
        }
        return try JobFile.parse(SpecValue(.map(entries))).get()
    }

    @Test func everythingArrives() throws {
        let source = Source(sha256: Bytes32(1, 2, 3, 4), size: 5)
        let definition = try Self.file().definition(source: source)
        #expect(definition.project == "shop" && definition.source == source)
        #expect(definition.spec.shape.platform == .linuxRiscv64 && definition.spec.shape.profile == .build)
        #expect(definition.spec.shape.untrustedSteps)
        #expect(definition.spec.env.map(\.name) == ["A", "B"])
        let steps = definition.spec.steps
        #expect(steps[0].untrusted && steps[0].continueOnError && steps[0].timeoutSeconds == 60)
        #expect(!steps[1].untrusted)
        #expect(
            steps[1].secrets == [
                .init(name: "npm", form: .variable, variable: "AGAIN"),
                .init(name: "ssh", form: .file, variable: "KEY"),
                .init(name: "bulkhead-job-token", form: .variable, variable: "ME"),
                .init(name: "npm", form: .variable, variable: "TOKEN"),
            ])
        #expect(definition.secretNames == ["npm", "ssh"] && definition.needsGrant)
    }

    /// The CLI keeps the order of a YAML file, a JSON reader need not keep any: both must come to the same hash.
    @Test func theOrderOfAMapDoesNotMatter() throws {
        let one = try Self.file().definition(source: nil).encoded()
        let secrets: SpecValue = [
            "ME": "bulkhead-job-token", "AGAIN": "npm", "KEY": ["as": "file", "secret": "ssh"], "TOKEN": "npm",
        ]
        guard case .list(let items) = Self.steps.content else { return }
        let changed: SpecValue = [["secrets": secrets, "run": "push", "name": "publish"]]
        guard case .list(let second) = changed.content else { return }
        let other = try Self.file([
            .init(key: "env", value: ["A": "2", "B": "1"]),
            .init(key: "steps", value: SpecValue(.list([items[0]] + second))),
        ]).definition(source: nil).encoded()
        #expect(one == other)
        let different = try Self.file([.init(key: "project", value: "shop2")]).definition(source: nil).encoded()
        #expect(one != different)
    }

    /// JobModel imports nothing, so it has a word of its own for the token.
    @Test func theTokenHasOneName() {
        #expect(JobFile.jobTokenSecret == GrantFormat.jobToken)
    }

    @Test func withoutSecretsNothingIsGranted() throws {
        let plain = try Self.file([.init(key: "steps", value: ["a"])]).definition(source: nil)
        #expect(!plain.needsGrant && plain.secretNames.isEmpty && !plain.spec.shape.untrustedSteps)
        let token = try Self.file([
            .init(key: "steps", value: [["run": "a", "secrets": ["T": "bulkhead-job-token"]]])
        ]).definition(source: nil)
        #expect(token.needsGrant && token.secretNames.isEmpty)
    }

    @Test func whatDoesNotFitIsSaid() throws {
        let run = SpecValue(.string(String(repeating: "x", count: 16_000)))
        let file = try Self.file([.init(key: "steps", value: SpecValue(.list([run, run, run, run])))])
        #expect {
            try file.definition(source: nil)
        } throws: { error in
            guard let error = error as? JobWireError, case .tooLarge(let size, let limit) = error else { return false }
            return size > limit && limit == 49_152 && error.code == .tooLarge && error.place == "steps"
                && error.text.contains("at most 49152 fit")
        }
        var bad = try Self.file()
        bad.name = ""
        #expect(throws: JobWireError.self) { try bad.wireSpec() }
    }
}
