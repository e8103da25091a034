// Statuses and checks in each forge's words.

import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct StatusTests {
    static func status(_ state: PostedState, description: String = "d", link: String? = nil) -> ForgeCall {
        .postStatus(
            Made.repository,
            CommitStatus(
                commit: Made.commit, reference: .branch("main"), context: "ci/build", state: state,
                description: description, link: link))
    }

    /// The word that stands behind `"state":` in the request.
    static func word(_ provider: any ForgeProvider, _ state: PostedState) throws -> String {
        var work = ForgeWork(status(state), at: provider)
        let line = try work.begin().line
        let start = try #require(line.firstRange(of: #""state":""#))
        return String(line[start.upperBound...].prefix { $0 != "\"" })
    }

    @Test func eachStateHasAWordEverywhere() throws {
        let words: [PostedState: [String]] = [
            .pending: ["pending", "pending", "pending"], .running: ["pending", "running", "pending"],
            .success: ["success", "success", "success"], .failure: ["failure", "failed", "failure"],
            .error: ["error", "failed", "error"], .cancelled: ["error", "canceled", "error"],
            .timedOut: ["failure", "failed", "failure"], .skipped: ["success", "skipped", "success"],
        ]
        for state in PostedState.allCases {
            let found = try [
                Self.word(Made.github, state), Self.word(Made.gitlab, state), Self.word(Made.gitea, state),
            ]
            #expect(found == words[state], "\(state)")
        }
    }

    @Test func requestsAreWhatTheForgesDescribe() throws {
        let call = Self.status(.success, description: "in 2 min", link: "https://ci.example/1")
        let good = Made.answer("{}", status: 201)
        #expect(
            try Made.github.run(call, good).asked == [
                "POST /repos/harbour/ship/statuses/\(Made.commit.hex) "
                    + #"{"state":"success","context":"ci/build","description":"in 2 min","#
                    + #""target_url":"https://ci.example/1"}"#
            ])
        #expect(
            try Made.gitlab.run(call, good).asked == [
                "POST /api/v4/projects/42/statuses/\(Made.commit.hex) "
                    + #"{"state":"success","ref":"main","name":"ci/build","description":"in 2 min","#
                    + #""target_url":"https://ci.example/1"}"#
            ])
        #expect(
            try Made.gitea.run(call, good).asked == [
                "POST /api/v1/repos/harbour/ship/statuses/\(Made.commit.hex) "
                    + #"{"state":"success","context":"ci/build","description":"in 2 min","#
                    + #""target_url":"https://ci.example/1"}"#
            ])
    }

    @Test func tokensGoWhereEachForgeLooksForThem() throws {
        var credentials: [Credential?] = []
        for provider in [Made.github, Made.gitlab, Made.gitea] as [any ForgeProvider] {
            var work = ForgeWork(.account, at: provider)
            credentials.append(try work.begin().credential)
        }
        #expect(
            credentials == [
                Credential(header: "Authorization", prefix: "Bearer "), Credential(header: "PRIVATE-TOKEN"),
                Credential(header: "Authorization", prefix: "token "),
            ])
    }

    @Test func longDescriptionsAreShortened() throws {
        let call = Self.status(.success, description: String(repeating: "d", count: 300))
        let limits: [(any ForgeProvider, Int)] = [(Made.github, 140), (Made.gitlab, 255), (Made.gitea, 255)]
        for (provider, most) in limits {
            var work = ForgeWork(call, at: provider)
            let line = try work.begin().line
            #expect(line.contains(#""description":""# + String(repeating: "d", count: most - 3) + #"...""#))
        }
    }

    /// GitLab refuses what it has already.
    @Test func theSameStatusTwiceIsPosted() throws {
        func refusal(_ state: String) -> ExchangeAnswer {
            Made.answer(
                #"{"message":"Cannot transition status via :enqueue from :\#(state) (Reason(s): Status cannot)"}"#,
                status: 400)
        }
        #expect(try Made.gitlab.run(Self.status(.pending), refusal("pending")).result == .posted)
        #expect(Made.gitlab.problem(Self.status(.pending), refusal("success")) == .conflict)
        let other = Made.answer(#"{"message":"name is invalid"}"#, status: 400)
        #expect(Made.gitlab.problem(Self.status(.pending), other) == .refused(status: 400))
        #expect(Made.github.problem(Self.status(.pending), refusal("pending")) == .refused(status: 400))
    }

    static func check(
        id: UInt64? = nil, _ state: PostedState, needsApproval: Bool = false, buttons: [CheckRun.Button] = []
    ) -> ForgeCall {
        .postCheck(
            Made.repository,
            CheckRun(
                id: id, commit: Made.commit, name: "ci", externalID: "run-5", state: state,
                needsApproval: needsApproval, title: "t", summary: "s", buttons: buttons))
    }

    @Test func checksAreMadeAndChanged() throws {
        let answer = Made.answer(#"{"id":77}"#, status: 201)
        let made = try Made.github.run(Self.check(.running), answer)
        #expect(made.result == .check(77))
        #expect(
            made.asked == [
                #"POST /repos/harbour/ship/check-runs {"name":"ci","head_sha":"\#(Made.commit.hex)","#
                    + #""external_id":"run-5","#
                    + #""status":"in_progress","output":{"title":"t","summary":"s"}}"#
            ])
        let button = CheckRun.Button(label: "Approve", description: "Run it", identifier: "approve")
        let changed = try Made.github.run(Self.check(id: 77, .pending, needsApproval: true, buttons: [button]), answer)
        #expect(
            changed.asked == [
                #"PATCH /repos/harbour/ship/check-runs/77 {"name":"ci","external_id":"run-5","status":"completed","#
                    + #""conclusion":"action_required","output":{"title":"t","summary":"s"},"#
                    + #""actions":[{"label":"Approve","description":"Run it","identifier":"approve"}]}"#
            ])
    }

    @Test func eachVerdictHasAConclusion() throws {
        let words: [PostedState: String] = [
            .success: "success", .failure: "failure", .error: "failure", .cancelled: "cancelled",
            .timedOut: "timed_out", .skipped: "skipped",
        ]
        for state in PostedState.allCases {
            var work = ForgeWork(Self.check(state), at: Made.github)
            let line = try work.begin().line
            if let word = words[state] {
                #expect(state.isOver && line.contains(#""status":"completed","conclusion":"\#(word)""#))
            } else {
                #expect(!state.isOver && !line.contains("conclusion"))
            }
        }
    }

    @Test func otherForgesHaveNoChecks() {
        #expect(Made.gitlab.problem(Self.check(.success)) == .unsupported)
        #expect(Made.gitea.problem(Self.check(.success)) == .unsupported)
        let many = Array(repeating: CheckRun.Button(label: "a", description: "b", identifier: "c"), count: 4)
        #expect(Made.github.problem(Self.check(.success, buttons: many)) == .unusable("buttons"))
        let long = CheckRun.Button(label: String(repeating: "a", count: 21), description: "b", identifier: "c")
        #expect(Made.github.problem(Self.check(.success, buttons: [long])) == .unusable("label"))
    }
}
