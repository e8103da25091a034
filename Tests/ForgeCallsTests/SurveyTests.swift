// What a token may not do is found out by questions that change nothing.

import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct SurveyTests {
    private static let survey = ForgeCall.survey(Made.repository, branch: "main")
    private static let refused = Made.answer(#"{"message":"no"}"#, status: 403)
    private static let absent = Made.answer(#"{"message":"there is no such thing"}"#, status: 404)

    /// What a good token is told: account, repository, branch, status, comment, permission.
    private static func github(_ changes: [Int: ExchangeAnswer] = [:], permission: String = "write") -> [ExchangeAnswer]
    {
        let good = [
            Made.answer(#"{"id":7,"login":"bulkhead"}"#), Made.answer(#"{"id":42,"full_name":"harbour/ship"}"#),
            Made.answer(#"{"name":"main","commit":{"sha":"\#(Made.commit.hex)"}}"#), absent, absent,
            Made.answer(#"{"permission":"\#(permission)","user":{"id":7,"login":"bulkhead"}}"#),
        ]
        return good.enumerated().map { changes[$0.offset] ?? $0.element }
    }

    private func lacks(
        _ provider: any ForgeProvider, _ answers: [ExchangeAnswer], to call: ForgeCall = survey
    ) throws -> (asked: [String], lacks: [ForgeLack]) {
        var work = ForgeWork(call, at: provider)
        var asked = [try work.begin().line]
        for answer in answers {
            switch try work.take(answer) {
            case .ask(let request): asked.append(request.line)
            case .done(.surveyed(let found)):
                #expect(found.allSatisfy { $0.scope == provider.scope(for: $0.lack) })
                return (asked, found.map(\.lack))
            case .done: throw ForgeProblem.foreign
            }
        }
        throw ForgeProblem.tooMuch
    }

    @Test func nothingIsMissingAndNothingIsChanged() throws {
        let (asked, lacks) = try lacks(Made.github, Self.github())
        #expect(lacks.isEmpty)
        let nowhere = String(repeating: "0", count: 39) + "1"
        #expect(
            asked.map { $0.prefix { $0 != "{" } } == [
                "GET /user", "GET /repos/harbour/ship", "GET /repos/harbour/ship/branches/main",
                "POST /repos/harbour/ship/statuses/\(nowhere) ", "PATCH /repos/harbour/ship/issues/comments/0 ",
                "GET /repos/harbour/ship/collaborators/bulkhead/permission",
            ])
    }

    @Test func eachThatIsRefusedIsNamed() throws {
        let named: [(Int, ForgeLack)] = [
            (0, .account), (2, .sources), (3, .statuses), (4, .comments), (5, .permissions),
        ]
        for (place, lack) in named {
            var answers = Self.github([place: Self.refused])
            // Whoever does not know who he is asks for nobody's permission.
            if place == 0 { answers.removeLast() }
            #expect(try lacks(Made.github, answers).lacks == [lack])
        }
        #expect(try lacks(Made.github, Self.github([2: Self.absent])).lacks == [.branch])
        let all = Self.github([2: Self.refused, 3: Self.refused, 4: Self.refused, 5: Self.refused])
        #expect(try lacks(Made.github, all).lacks == [.sources, .statuses, .comments, .permissions])
    }

    /// In the words of each forge's page of tokens.
    @Test func whatATokenNeedsIsNamed() {
        let named: [(any ForgeProvider, ForgeLack, String)] = [
            (Made.github, .statuses, "Commit statuses: read and write"), (Made.gitlab, .statuses, "scope api"),
            (Made.gitea, .comments, "issue: read and write"),
        ]
        for (forge, lack, scope) in named { #expect(forge.scope(for: lack)?.contains(scope) == true) }
        for forge in [Made.github, Made.gitlab, Made.gitea] as [any ForgeProvider] {
            #expect(forge.scope(for: .sources) != nil && forge.scope(for: .token) == nil)
        }
    }

    /// Without these there is nothing more to ask.
    @Test func noTokenAndNoRepository() throws {
        let unknown = Made.answer(#"{"message":"Bad credentials"}"#, status: 401)
        #expect(try lacks(Made.github, [unknown]).lacks == [.token])
        for answer in [Self.absent, Self.refused] {
            #expect(try lacks(Made.github, Array(Self.github([1: answer]).prefix(2))).lacks == [.repository])
        }
    }

    /// At Gitea everybody is told of himself, and only who administers a repository of others.
    @Test func whoMayWriteIsToldOfOthersOrNot() throws {
        #expect(try lacks(Made.github, Self.github(permission: "read")).lacks == [.permissions])
        #expect(try lacks(Made.gitea, Self.gitea("write")).lacks == [.permissions])
        #expect(try lacks(Made.gitea, Self.gitea("admin")).lacks.isEmpty)
    }

    private static func gitea(_ permission: String) -> [ExchangeAnswer] {
        var answers = github(permission: permission)
        answers[2] = Made.answer(#"{"name":"main","commit":{"id":"\#(Made.commit.hex)"}}"#)
        return answers
    }

    @Test func anotherRepositoryIsNone() throws {
        let other = Made.answer(#"{"id":43,"full_name":"harbour/ship"}"#)
        #expect(throws: ForgeProblem.foreign) { try lacks(Made.github, Self.github([1: other])) }
        // Where the rules name the path alone, there is no number to compare.
        let byPath = ForgeCall.survey(Repository(id: 0, path: "harbour/ship"), branch: "main")
        #expect(try lacks(Made.github, Self.github([1: other]), to: byPath).lacks.isEmpty)
        var work = ForgeWork(byPath, at: Made.gitlab)
        _ = try work.begin()
        let step = try work.take(Made.answer(#"{"id":7,"username":"bulkhead"}"#))
        guard case .ask(let request) = step else { throw ForgeProblem.foreign }
        #expect(request.line == "GET /api/v4/projects/harbour%2Fship")
    }
}
