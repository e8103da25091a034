// Variables as gitlab-runner expands them: Go's os.Expand, once, over the values as they came.

import Foundation
import GitLabRunner
import Testing

@Suite struct VariableTests {
    /// What `X` becomes in a job that has these others.
    private func expanded(_ text: String, raw: Bool = false) throws -> String? {
        let others: [[String: Any]] = [
            ["key": "A", "value": "1", "public": true], ["key": "A", "value": "one", "public": true],
            ["key": "B", "value": "$A", "public": true], ["key": "A_2", "value": "two", "public": true],
            ["key": "X", "value": text, "public": true, "raw": raw], ["key": "E", "value": NSNull(), "public": true],
        ]
        return try Recorded("merge_request").setting("variables", to: others).job()
            .variables.first { $0.name == "X" }?.value
    }

    @Test(arguments: [
        ("$A", "one"), ("${A}", "one"), ("$A_2", "two"), ("${A}_2", "one_2"), ("x$A.y", "xone.y"), ("$B", "$A"),
        ("$NONE", ""), ("${NONE}x", "x"), ("$E", ""), ("$$A", "$A"), ("$", "$"), ("a$", "a$"), ("$ A", "$ A"),
        ("$.", "$."), ("${}", ""), ("${A", "A"), ("${", ""), ("$1$A", "one"), ("${1}", ""), ("$?", ""), ("$*x", "x"),
        ("${$}", "$"), ("\\$A", "\\one"), ("$é", "$é"), ("${é}", ""), ("$A$A$A", "oneoneone"), ("$-x", "x"),
        ("{A}", "{A}"),
    ])
    func asGoDoes(_ text: String, _ value: String) throws { #expect(try expanded(text) == value) }

    @Test func rawIsRaw() throws { #expect(try expanded("$A ${B}", raw: true) == "$A ${B}") }

    @Test func whatGrowsIsStopped() throws {
        let big = String(repeating: "y", count: 8000)
        let list: [[String: Any]] = [
            ["key": "Y", "value": big, "public": true], ["key": "X", "value": "$Y$Y", "public": true],
        ]
        let sentence = try Recorded("merge_request").setting("variables", to: list).sentence()
        #expect(sentence?.contains("the variable X is longer than 8192 bytes") == true)
    }

    /// GitLab puts values in before it sends them, and keeps the word of the outer one.
    @Test func whatHoldsASecretIsOne() throws {
        let list: [[String: Any]] = [
            ["key": "PASSWORD", "value": "hunter2-hunter2", "public": false],
            ["key": "URL", "value": "postgres://u:hunter2-hunter2@db", "public": true],
            ["key": "SHORT", "value": "main", "public": false], ["key": "BRANCH", "value": "main", "public": true],
        ]
        let job = try Recorded("merge_request").setting("variables", to: list).job()
        #expect(Set(job.secrets.map(\.name)) == ["PASSWORD", "URL", "SHORT"])
        #expect(job.variables.contains { $0.name == "BRANCH" }, "what is everywhere is no secret")
        let odd = list + [["key": "GIT_STRATEGY", "value": "x hunter2-hunter2", "public": true]]
        let sentence = try #require(try Recorded("merge_request").setting("variables", to: odd).sentence())
        #expect(sentence.contains("GIT_STRATEGY is a secret") && !sentence.contains("hunter2"))
        let image = try Recorded("merge_request").setting("variables", to: list)
            .setting("image.name", to: "registry/hunter2-hunter2").sentence()
        #expect(image?.contains("the image is made of a variable that is not public") == true)
    }
}
