// What polling finds: only what is new, each once, and nothing the first time.

import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct NewsTests {
    static let none = Made.answer("[]")

    static func branches(_ list: (String, Commit)..., mark: String? = nil, hasNext: Bool = false) -> ExchangeAnswer {
        let items = list.map { #"{"name":"\#($0.0)","commit":{"sha":"\#($0.1.hex)","id":"\#($0.1.hex)"}}"# }
        return Made.answer(
            "[" + items.joined(separator: ",") + "]",
            headers: (mark.map { [HeaderField("ETag", $0)] } ?? []) + (hasNext ? [Made.next] : []))
    }

    static func change(
        _ number: Int, _ second: Int, head: Commit = Made.commit, state: String = "open", base: Int = 42
    ) -> String {
        func side(_ name: String, _ commit: Commit, _ id: Int) -> String {
            #"{"ref":"\#(name)","sha":"\#(commit.hex)","repo":{"id":\#(id),"full_name":"harbour/ship"}}"#
        }
        return #"{"number":\#(number),"state":"\#(state)","draft":false,"merged_at":null,"#
            + #""updated_at":"2026-03-01T10:00:\#(second)Z","user":{"id":9,"login":"ada"},"#
            + #""head":\#(side("fix", head, 42)),"base":\#(side("main", Made.other, base))}"#
    }

    static func changes(_ list: String..., hasNext: Bool = false) -> ExchangeAnswer {
        Made.answer("[" + list.joined(separator: ",") + "]", headers: hasNext ? [Made.next] : [])
    }

    static func news(
        since cursor: NewsCursor?, _ answers: ExchangeAnswer..., at provider: any ForgeProvider = Made.github
    ) throws -> (asked: [ExchangeRequest], news: News) {
        var work = ForgeWork(.news(Made.repository, since: cursor), at: provider)
        var asked = [try work.begin()]
        for answer in answers {
            switch try work.take(answer) {
            case .ask(let request): asked.append(request)
            case .done(.news(let news)): return (asked, news)
            case .done(let other): Issue.record("\(other)")
            }
        }
        throw ForgeProblem.tooMuch
    }

    @Test func theFirstTimeNothingIsNew() throws {
        let (asked, first) = try Self.news(
            since: nil, Self.branches(("main", Made.commit)), Self.branches(("v1", Made.other)),
            Self.changes(Self.change(5, 30), Self.change(4, 20), hasNext: true))
        #expect(
            asked.map(\.line) == [
                "GET /repos/harbour/ship/branches?per_page=100&page=1",
                "GET /repos/harbour/ship/tags?per_page=100&page=1",
                "GET /repos/harbour/ship/pulls?state=all&sort=updated&direction=desc&per_page=100&page=1",
            ])
        #expect(first.events == [] && !first.hasMore)
        let kept = NewsCursor(first.cursor.bytes)
        #expect(kept == first.cursor)
        let again = try Self.news(
            since: kept, Self.branches(("main", Made.commit)),
            Self.branches(("v1", Made.other)), Self.changes(Self.change(5, 30), Self.change(4, 20))
        ).news
        #expect(again.events == [])
        #expect(again.cursor == first.cursor)
    }

    @Test func whatMovedIsToldOnce() throws {
        let start = try Self.news(since: nil, Self.branches(("main", Made.commit)), Self.none, Self.none).news.cursor
        let found = try Self.news(
            since: start, Self.branches(("main", Made.other), ("new", Made.commit)), Self.branches(("v1", Made.other)),
            Self.changes(Self.change(5, 30))
        ).news
        func push(_ reference: Reference, _ before: Commit?, _ after: Commit) -> Event {
            .push(
                Push(
                    repository: Made.repository, reference: reference, before: before, after: after,
                    sender: Account(id: 0, name: "")))
        }
        #expect(
            Array(found.events.prefix(3)) == [
                push(.branch("main"), Made.commit, Made.other), push(.branch("new"), nil, Made.commit),
                push(.tag("v1"), nil, Made.other),
            ])
        guard case .change(let change)? = found.events.last else {
            Issue.record("\(found.events)")
            return
        }
        #expect(change.number == 5 && change.action == .updated && change.head.commit == Made.commit)
        #expect(change.repository == Made.repository && change.head.repository == Made.repository)
        // Two of the same second, of which one was told; and one that was told, and went on.
        let later = try Self.news(
            since: found.cursor, Self.branches(("main", Made.other), ("new", Made.commit)),
            Self.branches(("v1", Made.other)), Self.changes(Self.change(6, 30), Self.change(5, 30))
        ).news
        #expect(later.events.count == 1)
        let last = try Self.news(
            since: later.cursor, Self.branches(("main", Made.other)), Self.none,
            Self.changes(Self.change(5, 31, state: "closed"), Self.change(6, 30))
        ).news
        guard last.events.count == 1, case .change(let closed) = last.events[0] else {
            Issue.record("\(last.events)")
            return
        }
        #expect(closed.number == 5 && closed.action == .closed)
        // A branch that went away and came back is new.
        let back = try Self.news(
            since: last.cursor, Self.branches(("main", Made.other), ("new", Made.commit)), Self.none, Self.none
        ).news
        #expect(back.events == [push(.branch("new"), nil, Made.commit)])
    }

    @Test func whatHasNotChangedIsNotSentAgain() throws {
        let unchanged = ExchangeAnswer(status: 304)
        let start = try Self.news(
            since: nil, Self.branches(("main", Made.commit), mark: #"W/"a""#), Self.none, Self.none
        ).news.cursor
        let (asked, same) = try Self.news(since: start, unchanged, Self.none, Self.none)
        #expect(asked[0].headers.contains(HeaderField("If-None-Match", #"W/"a""#)))
        #expect(!asked[1].headers.contains { $0.name == "If-None-Match" })
        #expect(same.events == [] && same.cursor == start)
        // A 304 that nobody asked for is no answer.
        #expect(throws: ForgeProblem.redirected) { try Self.news(since: start, unchanged, unchanged) }
        // Of a list with several pages there is no mark.
        let long = try Self.news(
            since: nil, Self.branches(("a", Made.commit), mark: #"W/"a""#, hasNext: true),
            Self.branches(("b", Made.commit), mark: #"W/"b""#), Self.none, Self.none
        )
        #expect(long.asked[1].line.hasSuffix("page=2"))
        let next = try Self.news(
            since: long.news.cursor, Self.branches(("a", Made.commit), ("b", Made.commit)), Self.none, Self.none)
        #expect(!next.asked[0].headers.contains { $0.name == "If-None-Match" })
        #expect(next.news.events == [])
    }

    @Test func manyAreToldInParts() throws {
        let start = try Self.news(since: nil, Self.none, Self.none, Self.none).news.cursor
        let items = (0..<40).map { #"{"name":"b\#($0)","commit":{"sha":"\#(Made.commit.hex)"}}"# }
        let list = Made.answer("[" + items.joined(separator: ",") + "]", headers: [HeaderField("ETag", #""x""#)])
        var (cursor, names, rounds, more) = (start, [String](), 0, true)
        while more, rounds < 10 {
            let (asked, news) = try Self.news(since: cursor, list, Self.none, Self.none)
            #expect(!asked[0].headers.contains { $0.name == "If-None-Match" }, "nothing is skipped")
            for case .push(let push) in news.events {
                if case .branch(let name) = push.reference { names.append(name) }
            }
            #expect(news.events.count <= 16)
            (cursor, more, rounds) = (news.cursor, news.hasMore, rounds + 1)
        }
        #expect(rounds == 3 && names.count == 40 && Set(names).count == 40)
        // Names that are long are bytes, too: one at a time, if need be.
        let name = String(repeating: "x", count: 1000)
        let wide = Made.answer(
            "["
                + (0..<40).map { #"{"name":"\#(name)\#($0)","commit":{"sha":"\#(Made.commit.hex)"}}"# }
                .joined(separator: ",") + "]")
        #expect(throws: ForgeProblem.tooMuch) { try Self.news(since: nil, wide, Self.none, Self.none) }
        var changes: [String] = []
        for second in (10..<30).reversed() { changes.append(Self.change(second, second)) }
        let part = try Self.news(
            since: start, Self.none, Self.none, Made.answer("[" + changes.joined(separator: ",") + "]")
        ).news
        #expect(part.events.count == 16 && part.hasMore)
        guard case .change(let oldest)? = part.events.first else { return }
        #expect(oldest.number == 10)
    }

    @Test func whatIsUnreadableHidesNothing() throws {
        let start = try Self.news(since: nil, Self.none, Self.none, Self.none).news.cursor
        let odd = Self.change(7, 40).replacing(#""user":{"id":9,"login":"ada"}"#, with: #""user":null"#)
        let found = try Self.news(
            since: start, Self.none, Self.none, Self.changes(odd, Self.change(8, 40, base: 43), Self.change(5, 30))
        ).news
        #expect(found.events.count == 1)
    }

    @Test func aCursorIsOursOrNone() throws {
        let cursor = try Self.news(
            since: nil, Self.branches(("main", Made.commit), mark: #""m""#), Self.branches(("v1", Made.other)),
            Self.changes(Self.change(5, 30))
        ).news.cursor
        #expect(NewsCursor(cursor.bytes) == cursor)
        #expect(NewsCursor([]) == nil && NewsCursor([2]) == nil)
        for end in 1..<cursor.bytes.count {
            // Cut anywhere it is another one, or none, and never a crash.
            _ = NewsCursor(Array(cursor.bytes.prefix(end)))
            var wrong = cursor.bytes
            wrong[end] ^= 0xFF
            #expect(NewsCursor(wrong) != cursor)
        }
    }

    @Test func theOtherForgesAreAsked() throws {
        let change =
            #"{"iid":5,"state":"opened","draft":false,"updated_at":"2026-03-01T10:00:30.000Z","#
            + #""sha":"\#(Made.commit.hex)","#
            + #""author":{"id":9,"username":"ada"},"source_project_id":43,"target_project_id":42,"#
            + #""source_branch":"fix","target_branch":"main"}"#
        let gitlab = try Self.news(
            since: NewsCursor(), Self.none, Self.none, Made.answer("[\(change)]"), at: Made.gitlab)
        #expect(
            gitlab.asked.map(\.line) == [
                "GET /api/v4/projects/42/repository/branches?per_page=100&page=1",
                "GET /api/v4/projects/42/repository/tags?per_page=100&page=1",
                "GET /api/v4/projects/42/merge_requests?state=all&order_by=updated_at&sort=desc&per_page=100&page=1",
            ])
        guard case .change(let found)? = gitlab.news.events.first else {
            Issue.record("no change")
            return
        }
        #expect(found.head.repository == Repository(id: 43, path: "43") && found.base.commit == nil && found.isFork)
        let gitea = try Self.news(since: NewsCursor(), Self.none, Self.none, Self.none, at: Made.gitea)
        #expect(
            gitea.asked.last?.line == "GET /api/v1/repos/harbour/ship/pulls?state=all&sort=recentupdate&limit=50&page=1"
        )
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-03-01T10:00:30Z", 1_772_359_230_000),
        ("2026-03-01T10:00:30.5Z", 1_772_359_230_500),
        ("2026-03-01T12:00:30+02:00", 1_772_359_230_000), ("2026-03-01T05:30:30-04:30", 1_772_359_230_000),
        ("2024-02-29T23:59:59.123456Z", 1_709_251_199_123),
    ])
    func timesAreRead(_ text: String, _ time: UInt64) { #expect(ForgeTime.milliseconds(text) == time) }

    @Test(arguments: [
        "", "2026-03-01", "2026-03-01 10:00:30Z", "2026-03-01T10:00:30", "2026-13-01T10:00:30Z", "2026-03-01T24:00:30Z",
        "2026-03-01T10:00:30.Z", "2026-03-01T10:00:30+0200", "1969-01-01T00:00:00Z", "2026-03-01T10:00:30Zx",
    ])
    func otherTextsAreNoTimes(_ text: String) { #expect(ForgeTime.milliseconds(text) == nil) }
}
