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
}
