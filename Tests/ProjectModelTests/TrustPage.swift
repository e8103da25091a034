// TrustPage: docs/trust-table.md. Cases that differ in one thing only, and have the same answer, become one line.

import Foundation
import ProjectModel
import TrustModel

enum TrustPage {
    static let secretsTitle = "## When a secret is there"
    static let otherTitle = "## What becomes of the jobs"

    static var text: String {
        let questionHead = ["event", "branch or tag", "approval", "`allowed_users`", "`approval`", "`trust`"]
        return """
            # The table of trust

            Made from `TrustQuestion.decision`, the function that decides, by the test that compares this page with it
            (`TrustTableTests`). What the words mean is in [projects.md](projects.md). *Branch or tag* is where commits
            were pushed to; of a change, where it is to go. A line with `any` holds for every value of that column.

            \(secretsTitle)

            In these cases, and in no other:

            \(table(
                questionHead + ["the secret's `trust`", "its rule means the branch or tag"],
                merged(TrustRow.all.filter(\.gives).map(cells), domains)))

            \(otherTitle)

            \(table(questionHead + ["class", "they wait", "job files are read from"], decisions))

            """
    }

    /// A case in the words of the page.
    static func cells(_ row: TrustRow) -> [String] {
        cells(row.question) + [row.rule.rawValue, row.admitsRef ? "yes" : "no"]
    }

    private static func cells(_ question: TrustQuestion) -> [String] {
        [
            question.origin.rawValue, question.isProtected ? "protected" : "other", question.approval.rawValue,
            question.isAllowed ? "yes" : "no", question.wants.rawValue, question.ownBranches.rawValue,
        ]
    }

    /// All words of each column, in their order.
    private static let domains: [[String]] = [
        TrustQuestion.Origin.allCases.map(\.rawValue), ["protected", "other"],
        ApprovalStanding.allCases.map(\.rawValue), ["yes", "no"],
        ProjectRules.PullRequests.Approval.allCases.map(\.rawValue),
        ProjectRules.PullRequests.Trust.allCases.map(\.rawValue),
        ProjectRules.SecretRule.Trust.allCases.map(\.rawValue),
        ["yes", "no"],
    ]

    private static var decisions: [[String]] {
        var answers: [[String]] = []
        for question in TrustQuestion.all where !answers.contains(answer(question)) { answers.append(answer(question)) }
        return answers.flatMap { wanted in
            merged(TrustQuestion.all.filter { answer($0) == wanted }.map { cells($0) }, domains).map { $0 + wanted }
        }
    }

    private static func answer(_ question: TrustQuestion) -> [String] {
        let decision = question.decision
        return [decision.trust.rawValue, decision.isHeld ? "yes" : "no", decision.definition.rawValue]
    }

    /// Column after column, lines that are equal but for it become one.
    private static func merged(_ rows: [[String]], _ domains: [[String]]) -> [[String]] {
        var lines = rows.map { $0.map { [$0] } }
        for column in lines.first?.indices.reversed() ?? (0..<0).reversed() {
            var kept: [[[String]]] = []
            for line in lines {
                var rest = line
                rest.remove(at: column)
                let same = kept.firstIndex { other in
                    var others = other
                    others.remove(at: column)
                    return others == rest
                }
                if let same { kept[same][column] += line[column] } else { kept.append(line) }
            }
            lines = kept
        }
        return lines.map { line in
            zip(line, domains).map { words, domain in
                let ordered = domain.filter { words.contains($0) }
                return ordered.count == domain.count ? "any" : ordered.joined(separator: ", ")
            }
        }
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
            .joined(separator: "\n")
    }

    /// The cells of the table's lines under a title.
    static func lines(of page: String, under title: String) -> [[String]] {
        let lines = page.components(separatedBy: "\n").drop { $0 != title }.dropFirst()
        return lines.prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| ") }.dropFirst(2).map {
            $0.dropFirst(2).dropLast(2).components(separatedBy: " | ")
        }
    }
}
