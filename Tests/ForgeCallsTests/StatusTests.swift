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
}
