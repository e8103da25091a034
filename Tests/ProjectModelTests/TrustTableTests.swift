// S1: every question that can be asked about trust, its answer by the rules as people say them, and the table in the
// documents, which is made from the answers and read back.

import Foundation
import ProjectModel
import Testing
import TrustModel

/// One case: what is asked, and of which secret.
struct TrustRow: Hashable {
    var question: TrustQuestion
    var rule: ProjectRules.SecretRule.Trust
    var admitsRef: Bool

    var gives: Bool { question.decision.gives(rule, admitsRef: admitsRef) }

    static let all: [TrustRow] = TrustQuestion.all.flatMap { question in
        ProjectRules.SecretRule.Trust.allCases.flatMap { rule in
            [true, false].map { TrustRow(question: question, rule: rule, admitsRef: $0) }
        }
    }
}

extension TrustQuestion {
    static let all: [TrustQuestion] = Origin.allCases.flatMap { origin in
        [true, false].flatMap { isProtected in
            ApprovalStanding.allCases.flatMap { approval in
                [true, false].flatMap { isAllowed in
                    ProjectRules.PullRequests.Approval.allCases.flatMap { wants in
                        ProjectRules.PullRequests.Trust.allCases.map { ownBranches in
                            TrustQuestion(
                                origin: origin, isProtected: isProtected, approval: approval, isAllowed: isAllowed,
                                wants: wants, ownBranches: ownBranches)
                        }
                    }
                }
            }
        }
    }

    var isChange: Bool { origin != .branch && origin != .tag }
    var isFork: Bool { origin == .forkChange || origin == .lostChange }
}

@Suite struct TrustTableTests {
    @Test func thereIsEveryCase() {
        #expect(TrustRow.all.count == 5 * 2 * 7 * 2 * 3 * 2 * 2 * 2)
        #expect(Set(TrustRow.all).count == TrustRow.all.count)
    }

    /// S1: a secret is there exactly where these sentences say so. They are written without the function's own words.
    @Test func whereASecretIs() {
        for row in TrustRow.all {
            let question = row.question
            let expected: Bool
            if !row.admitsRef {
                expected = false
            } else if !question.isChange {
                expected = question.isProtected || row.rule == .approved
            } else if row.rule == .trusted {
                // What is on no protected branch yet never has what is for those alone.
                expected = false
            } else if question.approval == .valid {
                expected = true
            } else {
                // Without an approval: only of a member's own branch, where the project says so and does not want one.
                expected =
                    question.origin == .ownChange && question.ownBranches == .approved
                    && (question.wants != .all || question.isAllowed)
            }
            #expect(row.gives == expected, "\(row)")
        }
    }

    /// S1: a fork's change has nothing that no valid approval gave it.
    @Test func noForkHasASecretWithoutAnApproval() {
        let forks = TrustRow.all.filter { $0.question.isFork && $0.question.approval != .valid }
        #expect(forks.allSatisfy { !$0.gives && $0.question.decision.trust == .untrusted })
        // With one they can have some; otherwise the line above says nothing.
        #expect(TrustRow.all.contains { $0.question.isFork && $0.gives })
    }

    @Test func whatWaits() {
        for question in TrustQuestion.all {
            let wanted =
                question.isChange && (question.wants == .all || question.wants == .forks && question.isFork)
            #expect(question.decision.isHeld == (wanted && question.approval != .valid && !question.isAllowed))
        }
    }

    /// Only what is on a protected branch or tag says itself what runs.
    @Test func whereJobFilesAreRead() {
        for question in TrustQuestion.all {
            let decision = question.decision
            #expect((decision.definition == .itself) == (!question.isChange && question.isProtected))
            #expect((decision.definition == .itself) == (decision.trust == .trusted))
            #expect((decision.definition == .base) == (question.isChange && question.isProtected))
        }
    }

    @Test func thePageIsTheFunction() throws {
        let url = Sample.root.appending(path: "docs/trust-table.md")
        let page = TrustPage.text
        if ProcessInfo.processInfo.environment["BULKHEAD_WRITE_DOCS"] != nil {
            try page.write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(
            try String(contentsOf: url, encoding: .utf8) == page,
            "docs/trust-table.md is another; BULKHEAD_WRITE_DOCS=1 in this test's environment writes it")
    }

    /// The page's lines stand for many cases each. Read back, they are exactly the cases that give a secret.
    @Test func everyCaseThatGivesASecretIsOnThePage() throws {
        let page = try String(contentsOf: Sample.root.appending(path: "docs/trust-table.md"), encoding: .utf8)
        let lines = TrustPage.lines(of: page, under: TrustPage.secretsTitle)
        #expect(!lines.isEmpty)
        for row in TrustRow.all {
            let cells = TrustPage.cells(row)
            let found = lines.contains { line in
                zip(line, cells).allSatisfy { $0 == "any" || $0.components(separatedBy: ", ").contains($1) }
            }
            #expect(found == row.gives, "\(cells)")
        }
    }
}
