// JobFile: each mistake that a person can make, by the key it is reported at and a word of the mend.

import Documents
import JobModel
import Testing

struct JobFileMistakeTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        let key: String
        let value: SpecValue
        let path: String
        let says: String

        init(_ key: String, _ value: SpecValue, at path: String? = nil, says: String) {
            self.key = key
            self.value = value
            self.path = path ?? key
            self.says = says
        }

        var testDescription: String { "\(key): \(says)" }
    }

    private static let long = SpecValue(.string(String(repeating: "x", count: 20_000)))

    private static let plain: [Mistake] = [
        .init("nam", "x", says: "'name'"), .init("Image", "x", says: "'image'"), .init("step", ["a"], says: "'steps'"),
        .init("stages", ["a"], says: "'tags'"), .init("timeot", "1m", says: "'timeout'"),
        .init("enviroment", [:], says: "known are project, name"), .init("", "x", says: "is not known"),
        .init("name", "", says: "empty"), .init("name", long, says: "at most 128"), .init("name", [], says: "a list"),
        .init("name", nil, says: "nothing"), .init("name", "a\0b", says: "NUL"), .init("name", 1.5, says: "quotes"),
        .init("platform", "linux/amd46", says: "'linux/amd64'"),
        .init("platform", "windows", says: "known are linux/amd64"),
        .init("platform", 3, says: "must be one of"), .init("profile", "stric", says: "'strict'"),
        .init("profile", true, says: "true or false"), .init("timeout", "soon", says: "10m"),
        .init("timeout", 0, says: "between 1s and 7d"), .init("timeout", "8d", says: "between"),
        .init("timeout", 1.5, says: "10m"), .init("timeout", "-5m", says: "between"),
        .init("timeout", "9223372036854775807d", says: "10m"), .init("timeout", "1h30m", says: "10m"),
        .init("env", ["A"], says: "names to texts"), .init("env", "A=1", says: "a text"),
        .init("env", ["1A": "x"], at: "env.1A", says: "letters"), .init("env", ["": "x"], at: "env.", says: "letters"),
        .init("env", ["A-B": "x"], at: "env.A-B", says: "letters"),
        .init("env", ["Ä": "x"], at: "env.Ä", says: "letters"),
        .init("env", ["BULKHEAD_JOB": "x"], at: "env.BULKHEAD_JOB", says: "reserved"),
        .init("env", ["A": "1", "A": "2"], at: "env.A", says: "twice"),
        .init("env", ["A": long], at: "env.A", says: "8192"),
        .init("env", ["A": nil], at: "env.A", says: "nothing"), .init("env", ["V": 1.10], at: "env.V", says: "quotes"),
        .init("env", ["A": "a\0"], at: "env.A", says: "NUL"),
    ]

    private static let images: [Mistake] = [
        .init("image", "", says: "empty"), .init("image", 7.5, says: "quotes"),
        .init("image", "a b", says: "bulkhead/debian"),
        .init("image", "-a", says: "bulkhead/debian"), .init("image", "/a", says: "bulkhead/debian"),
        .init("image", "ä", says: "bulkhead/debian"), .init("image", "a\nb", says: "bulkhead/debian"),
        .init("image", "a;b", says: "bulkhead/debian"), .init("image", "$(a)", says: "bulkhead/debian"),
        .init("image", long, says: "at most 255"), .init("image", ["a"], says: "a list"),
    ]

    private static let resources: [Mistake] = [
        .init("resources", "large", says: "cpus, memory, pids, disk"),
        .init("resources", ["cpu": 1], at: "resources.cpu", says: "'cpus'"),
        .init("resources", ["ram": 1], at: "resources.ram", says: "known are"),
        .init("resources", ["cpus": "many"], at: "resources.cpus", says: "0.5"),
        .init("resources", ["cpus": 0], at: "resources.cpus", says: "between 0.01 and"),
        .init("resources", ["cpus": 1e300], at: "resources.cpus", says: "0.5"),
        .init("resources", ["cpus": -1.0], at: "resources.cpus", says: "between"),
        .init("resources", ["memory": "1GB"], at: "resources.memory", says: "512MiB"),
        .init("resources", ["memory": "1 MiB"], at: "resources.memory", says: "512MiB"),
        .init("resources", ["memory": "1MiB"], at: "resources.memory", says: "between 16MiB and 4TiB"),
        .init("resources", ["memory": "9999999999GiB"], at: "resources.memory", says: "512MiB"),
        .init("resources", ["memory": "8TiB"], at: "resources.memory", says: "between"),
        .init("resources", ["pids": "256"], at: "resources.pids", says: "256"),
        .init("resources", ["pids": 7], at: "resources.pids", says: "between 8 and 32768"),
        .init("resources", ["pids": 1.5], at: "resources.pids", says: "256"),
        .init("resources", ["disk": "2GiB"], at: "resources.disk", says: "raise memory or lower disk"),
        .init("resources", ["disk": 1], at: "resources.disk", says: "between 1MiB"),
        .init("resources", ["memory": "1GiB", "memory": "2GiB"], at: "resources.memory", says: "twice"),
    ]

    private static let steps: [Mistake] = [
        .init("steps", [], says: "at least one"), .init("steps", "make", says: "a list of steps"),
        .init("steps", ["run": "make"], says: "a list of steps"),
        .init("steps", [3], at: "steps[0]", says: "name, run"),
        .init("steps", [nil], at: "steps[0]", says: "nothing"), .init("steps", [""], at: "steps[0]", says: "empty"),
        .init("steps", [["a"]], at: "steps[0]", says: "a list"),
        .init("steps", ["a", [:]], at: "steps[1].run", says: "missing"),
        .init("steps", [["run": ""]], at: "steps[0].run", says: "empty"),
        .init("steps", [["run": ["a", "b"]]], at: "steps[0].run", says: "a list"),
        .init("steps", [["run": long]], at: "steps[0].run", says: "at most 16384"),
        .init("steps", [long], at: "steps[0]", says: "at most 16384"),
        .init("steps", [["run": "a\0"]], at: "steps[0].run", says: "NUL"),
        .init("steps", [["run": "a", "nmae": "x"]], at: "steps[0].nmae", says: "'name'"),
        .init("steps", [["run": "a", "name": ""]], at: "steps[0].name", says: "empty"),
        .init("steps", [["run": "a", "timeout": "x"]], at: "steps[0].timeout", says: "10m"),
        .init("steps", [["run": "a", "timeout": 0]], at: "steps[0].timeout", says: "between"),
        .init(
            "steps", [["run": "a", "continue_on_error": "yes"]], at: "steps[0].continue_on_error", says: "true or false"
        ),
        .init(
            "steps", [["run": "a", "continue-on-error": true]], at: "steps[0].continue-on-error",
            says: "'continue_on_error'"),
        .init("steps", SpecValue(.list(Array(repeating: "a", count: 33))), says: "at most 32"),
    ]

    private static let secrets: [Mistake] = [
        .init("project", "", says: "empty"), .init("project", "-a", says: "project's name"),
        .init("project", "Shop", says: "a to z"), .init("project", "a/b", says: "project's name"),
        .init("project", "..", says: "project's name"), .init("project", ["a"], says: "a list"),
        .init("project", SpecValue(.string(String(repeating: "a", count: 65))), says: "at most 64"),
        .init("steps", [["run": "a", "untrusted": "yes"]], at: "steps[0].untrusted", says: "true or false"),
        .init("steps", [["run": "a", "secret": ["A": "b"]]], at: "steps[0].secret", says: "'secrets'"),
        .init("steps", [["run": "a", "secrets": ["A"]]], at: "steps[0].secrets", says: "variables to names"),
        .init("steps", [["run": "a", "secrets": "A"]], at: "steps[0].secrets", says: "a text"),
        .init("steps", [["run": "a", "secrets": ["A-B": "x"]]], at: "steps[0].secrets.A-B", says: "letters"),
        .init(
            "steps", [["run": "a", "secrets": ["BULKHEAD_X": "x"]]], at: "steps[0].secrets.BULKHEAD_X", says: "reserved"
        ),
        .init("steps", [["run": "a", "secrets": ["A": "x", "A": "y"]]], at: "steps[0].secrets.A", says: "twice"),
        .init("steps", [["run": "a", "secrets": ["A": ""]]], at: "steps[0].secrets.A", says: "empty"),
        .init("steps", [["run": "a", "secrets": ["A": "x y"]]], at: "steps[0].secrets.A", says: "secret's name"),
        .init("steps", [["run": "a", "secrets": ["A": "../x"]]], at: "steps[0].secrets.A", says: "secret's name"),
        .init("steps", [["run": "a", "secrets": ["A": nil]]], at: "steps[0].secrets.A", says: "nothing"),
        .init("steps", [["run": "a", "secrets": ["A": [:]]]], at: "steps[0].secrets.A.secret", says: "missing"),
        .init(
            "steps", [["run": "a", "secrets": ["A": ["secret": "x", "as": "path"]]]], at: "steps[0].secrets.A.as",
            says: "known are variable, file"),
        .init(
            "steps", [["run": "a", "secrets": ["A": ["secret": "x", "in": "file"]]]], at: "steps[0].secrets.A.in",
            says: "known are secret, as"),
        .init(
            "steps", [["run": "a", "untrusted": true, "secrets": ["A": "x"]]], at: "steps[0].secrets",
            says: "untrusted step has no secrets"),
        .init("steps", [["run": "a", "secrets": names(17)]], at: "steps[0].secrets", says: "at most 16"),
        .init(
            "steps",
            [
                ["run": "a", "secrets": names(16)], ["run": "b", "secrets": names(16, from: 16)],
                ["run": "c", "secrets": names(1, from: 32)],
            ], says: "33 different secrets; at most 32"),
    ]

    private static func names(_ count: Int, from first: Int = 0) -> SpecValue {
        SpecValue(.map((first..<(first + count)).map { .init(key: "V\($0)", value: SpecValue(.string("s\($0)"))) }))
    }

    @Test(arguments: plain + images + resources + steps + secrets)
    func one(_ mistake: Mistake) {
        var entries: [SpecValue.Entry] = []
        if mistake.key != "image" { entries.append(.init(key: "image", value: "good")) }
        if mistake.key != "steps" { entries.append(.init(key: "steps", value: ["true"])) }
        entries.append(.init(key: mistake.key, value: mistake.value))
        let problems = Mistakes.of(JobFile.parse(SpecValue(.map(entries))))
        #expect(problems.map(\.path) == [mistake.path])
        #expect(problems.first?.message.contains(mistake.says) == true, "\(problems)")
    }

    @Test func theTableIsLong() {
        #expect((Self.plain + Self.images + Self.resources + Self.steps).count >= 80)
    }

    @Test func missingKeys() {
        #expect(Mistakes.of(JobFile.parse([:])).map(\.path) == ["image", "steps"])
        for document: SpecValue in ["text", 3, [], nil, true] {
            #expect(Mistakes.of(JobFile.parse(document)).map(\.path) == [""])
        }
    }

    @Test func aVariableAndASecretOfOneName() {
        let problems = Mistakes.of(
            JobFile.parse([
                "image": "a", "env": ["A": "x"], "steps": ["b", ["run": "c", "secrets": ["A": "s", "B": "s"]]],
            ]))
        #expect(problems.map(\.path) == ["steps[1].secrets.A"] && problems[0].message.contains("rename one"))
    }

    /// The job's token is none of the project's secrets, and not counted as one.
    @Test func theTokenBesideAllSecretsFits() throws {
        let steps: SpecValue = [
            ["run": "a", "secrets": Self.names(16)], ["run": "b", "secrets": Self.names(16, from: 16)],
            ["run": "c", "secrets": ["T": "bulkhead-job-token"]],
        ]
        #expect(try JobFile.parse(["image": "a", "steps": steps]).get().steps.count == 3)
    }

    @Test func variablesBeyondTheLimit() {
        let many = (0..<65).map { SpecValue.Entry(key: "V\($0)", value: "x") }
        let problems = Mistakes.of(JobFile.parse(["image": "a", "steps": ["b"], "env": SpecValue(.map(many))]))
        #expect(problems.map(\.path) == ["env"] && problems[0].message.contains("at most 64"))
    }

    @Test func allAtOnce() {
        let problems = Mistakes.of(
            JobFile.parse([
                "nmae": "x", "platform": "mac", "timeout": "x", "resources": ["cpus": 0, "pids": 1],
                "env": ["1": "x"], "steps": [["rn": "x"], 3, ["run": "a", "timeout": "x"]],
            ]))
        #expect(
            Set(problems.map(\.path)) == [
                "nmae", "image", "platform", "timeout", "resources.cpus", "resources.pids", "env.1", "steps[0].rn",
                "steps[0].run", "steps[1]", "steps[2].timeout",
            ])
        #expect(problems.count == 11)
    }

    @Test func placesInTheOrderOfTheDocument() {
        func at(_ line: Int, _ column: Int, _ content: SpecValue.Content) -> SpecValue {
            SpecValue(content, place: Place(line: line, column: column))
        }
        let step = SpecValue.Entry(key: "rum", place: Place(line: 5, column: 5), value: at(5, 10, .string("x")))
        let document = at(
            1, 1,
            .map([
                .init(key: "timeout", place: Place(line: 2, column: 1), value: at(2, 10, .string("soon"))),
                .init(key: "image", place: Place(line: 3, column: 1), value: at(3, 8, .string("a b"))),
                .init(key: "steps", place: Place(line: 4, column: 1), value: at(5, 3, .list([at(5, 5, .map([step]))]))),
            ]))
        let problems = Mistakes.of(JobFile.parse(document))
        #expect(
            problems.map { "\($0.place?.line ?? 0):\($0.place?.column ?? 0) \($0.path)" } == [
                "2:10 timeout", "3:8 image", "5:5 steps[0].rum", "5:5 steps[0].run",
            ])
        #expect(problems[0].description.hasPrefix("2:10: timeout: is not understood"))
    }

    @Test func keysThatNobodyMeant() {
        let key = String(repeating: "k", count: 1_000_000)
        let problems = Mistakes.of(
            JobFile.parse(
                SpecValue(
                    .map([
                        .init(key: key, value: "x"), .init(key: "image", value: "a"), .init(key: "steps", value: ["b"]),
                    ]))))
        #expect(problems.count == 1 && problems[0].path.utf8.count < 100 && problems[0].message.utf8.count < 200)
    }
}
