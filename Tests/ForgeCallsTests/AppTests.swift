// GitHub's apps: how one comes in, and its check runs.

import Exchange
import ForgeCalls
import ForgeModel
import GitHubCalls
import Testing

@Suite struct AppTests {
    private static let installation = Installation(id: 301001, app: 301, account: "bulkhead[bot]")
    private static let app = Made.github.asApp(installation)

    // MARK: the way in

    private static let found = Made.answer(#"{"id":301001,"app_id":301,"app_slug":"bulkhead"}"#)
    private static let token = Made.answer(#"{"token":"ghs_x","expires_at":"2026-03-01T10:00:00Z"}"#, status: 201)

    @Test func aTokenIsForOneRepository() throws {
        let entered = try Made.github.run(.installationToken(Made.repository), Self.found, Self.token)
        #expect(entered.result == .installationToken(Self.installation, SecretText("ghs_x")))
        #expect(
            entered.asked == [
                "GET /repos/harbour/ship/installation",
                #"POST /app/installations/301001/access_tokens {"repository_ids":[42],"permissions":{"checks":"write","#
                    + #""contents":"read","metadata":"read","pull_requests":"write"}}"#,
            ])
        let numberless = Repository(id: 0, path: "harbour/ship")
        #expect(Made.github.problem(.installationToken(numberless), Self.found) == .unusable("repository"))
    }

    @Test func aTokenIsOneWord() {
        for token in [#""#, #"a b"#, #"a\u0000"#, #"a\r\nx: y"#] {
            let answer = Made.answer(#"{"token":"\#(token)"}"#, status: 201)
            #expect(Made.github.problem(.installationToken(Made.repository), Self.found, answer) == .field("token"))
        }
        #expect("\(ForgeResult.installationToken(Self.installation, SecretText("ghs_x")))".contains("ghs_x") == false)
    }

    @Test func anAppIsTheAccountInWhoseNameItWrites() throws {
        let asked = try Self.app.run(.account, Made.answer(#"{"id":77,"login":"bulkhead[bot]"}"#))
        #expect(asked.asked == ["GET /users/bulkhead%5Bbot%5D"])
        #expect(asked.result == .account(Account(id: 77, name: "bulkhead[bot]")))
    }

    // MARK: check runs

    private static func check(
        _ state: PostedState, needsApproval: Bool = false, buttons: [CheckRun.Button] = []
    ) -> ForgeCall {
        .keepCheck(
            Made.repository,
            CheckRun(
                commit: Made.commit, name: "ci", externalID: "5 7 main", state: state, needsApproval: needsApproval,
                title: "t", summary: "s", buttons: buttons))
    }

    private static let list =
        "GET /repos/harbour/ship/commits/\(Made.commit.hex)/check-runs?check_name=ci&app_id=301"
        + "&filter=all&per_page=100"
    private static let done = Made.answer(#"{"id":77}"#, status: 201)

    private static func runs(_ runs: (id: Int, app: Int, external: String, conclusion: String?)...) -> ExchangeAnswer {
        let items = runs.map { run in
            #"{"id":\#(run.id),"app":{"id":\#(run.app)},"external_id":"\#(run.external)","#
                + (run.conclusion.map { #""status":"completed","conclusion":"\#($0)"}"# }
                    ?? #""status":"queued","conclusion":null}"#)
        }
        return Made.answer(#"{"total_count":\#(runs.count),"check_runs":[\#(items.joined(separator: ","))]}"#)
    }

    @Test func oneIsMade() throws {
        let made = try Self.app.run(Self.check(.running), Self.runs(), Self.done)
        #expect(made.result == .posted)
        #expect(
            made.asked == [
                Self.list,
                #"POST /repos/harbour/ship/check-runs {"name":"ci","head_sha":"\#(Made.commit.hex)","#
                    + #""external_id":"5 7 main","#
                    + #""status":"in_progress","output":{"title":"t","summary":"s"}}"#,
            ])
        let button = CheckRun.Button(label: "Approve", description: "Run it", identifier: "approve")
        let held = try Self.app.run(
            Self.check(.pending, needsApproval: true, buttons: [button]), Self.runs(), Self.done)
        #expect(
            held.asked[1].hasSuffix(
                #""status":"completed","conclusion":"action_required","output":{"title":"t","summary":"s"},"#
                    + #""actions":[{"label":"Approve","description":"Run it","identifier":"approve"}]}"#))
    }

    /// The one that is there is written anew, as long as it has not ended; others' are left alone.
    @Test func theSameOneGoesOn() throws {
        let there = Self.runs((8, 301, "5 7 main", nil), (9, 301, "6 7 main", nil), (10, 302, "5 7 main", nil))
        let changed = try Self.app.run(Self.check(.success), there, Self.done)
        #expect(changed.asked[1].hasPrefix("PATCH /repos/harbour/ship/check-runs/8 {"))
        #expect(!changed.asked[1].contains("head_sha"))
        let others = Self.runs((9, 301, "6 7 main", nil), (10, 302, "5 7 main", nil))
        let made = try Self.app.run(Self.check(.success), others, Self.done)
        #expect(made.asked[1].hasPrefix("POST /repos/harbour/ship/check-runs {"))
    }

    /// GitHub begins none again that has ended: after an approval there is a new one.
    @Test func whatHasEndedStays() throws {
        let held = Self.runs((8, 301, "5 7 main", "action_required"))
        #expect(try Self.app.run(Self.check(.pending), held, Self.done).asked[1].hasPrefix("POST "))
        // Said already, and the answer was lost.
        let again = try Self.app.run(Self.check(.pending, needsApproval: true), held)
        #expect(again.result == .posted && again.asked == [Self.list])
        let ended = Self.runs((9, 301, "5 7 main", "success"), (8, 301, "5 7 main", "action_required"))
        #expect(try Self.app.run(Self.check(.success), ended).asked == [Self.list])
    }

    @Test func eachVerdictHasAConclusion() throws {
        let words: [PostedState: String] = [
            .success: "success", .failure: "failure", .error: "failure", .cancelled: "cancelled",
            .timedOut: "timed_out", .skipped: "skipped",
        ]
        for state in PostedState.allCases {
            let line = try Self.app.run(Self.check(state), Self.runs(), Self.done).asked[1]
            if let word = words[state] {
                #expect(state.isOver && line.contains(#""status":"completed","conclusion":"\#(word)""#))
            } else {
                #expect(!state.isOver && !line.contains("conclusion"))
            }
        }
    }

    @Test func othersHaveNoChecks() {
        #expect(Made.gitlab.problem(Self.check(.success)) == .unsupported)
        #expect(Made.gitea.problem(Self.check(.success)) == .unsupported)
        #expect(Made.github.problem(Self.check(.success)) == .unsupported, "a token of a person's")
        let many = Array(repeating: CheckRun.Button(label: "a", description: "b", identifier: "c"), count: 4)
        #expect(Self.app.problem(Self.check(.success, buttons: many), Self.runs()) == .unusable("buttons"))
        let long = CheckRun.Button(label: String(repeating: "a", count: 21), description: "b", identifier: "c")
        #expect(Self.app.problem(Self.check(.success, buttons: [long]), Self.runs()) == .unusable("label"))
    }
}
