// One comment that is ours, among those of others.

import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct CommentTests {
    static func call(id: UInt64? = nil, body: String = "now") -> ForgeCall {
        .keepComment(Made.repository, RollingComment(change: 5, name: "plan", author: Made.us, id: id, body: body))
    }

    static let text = #"{"body":"<!-- bulkhead:plan -->\u000anow"}"#
    static let written = Made.answer(#"{"id":31,"body":"x"}"#, status: 201)

    static func comments(_ list: (id: Int, author: Int, body: String)..., hasNext: Bool = false) -> ExchangeAnswer {
        let items = list.map { one in
            let body = JSONText.text(one.body).bytes
            return #"{"id":\#(one.id),"user":{"id":\#(one.author),"login":"x"},"system":false,"#
                + #""author":{"id":\#(one.author)},"body":\#(String(decoding: body, as: UTF8.self))}"#
        }
        return Made.answer("[" + items.joined(separator: ",") + "]", headers: hasNext ? [Made.next] : [])
    }

    @Test func theFirstIsWrittenAndTheNextOverIt() throws {
        let new = try Made.github.run(Self.call(), Self.comments(), Self.written)
        #expect(new.result == .comment(31))
        #expect(
            new.asked == [
                "GET /repos/harbour/ship/issues/5/comments?per_page=100&page=1",
                "POST /repos/harbour/ship/issues/5/comments \(Self.text)",
            ])
        let mine = Self.comments((30, 9, "hello"), (31, 7, "<!-- bulkhead:plan -->\nthen"))
        #expect(
            try Made.github.run(Self.call(), mine, Self.written).asked.last
                == "PATCH /repos/harbour/ship/issues/comments/31 \(Self.text)")
        #expect(
            try Made.gitlab.run(Self.call(), mine, Self.written).asked == [
                "GET /api/v4/projects/42/merge_requests/5/notes?sort=asc&order_by=created_at&per_page=100&page=1",
                "PUT /api/v4/projects/42/merge_requests/5/notes/31 \(Self.text)",
            ])
        #expect(
            try Made.gitea.run(Self.call(), mine, Self.written).asked == [
                "GET /api/v1/repos/harbour/ship/issues/5/comments",
                "PATCH /api/v1/repos/harbour/ship/issues/comments/31 \(Self.text)",
            ])
    }

    /// Whoever writes our first line does not get our words into a comment that is theirs.
    @Test func whatOthersWroteIsLeftAlone() throws {
        for (author, body) in [
            (9, "<!-- bulkhead:plan -->\nmine"), (7, "x <!-- bulkhead:plan -->"), (7, "<!-- bulkhead:plan2 -->"),
            (7, "<!-- bulkhead:plan -->x"), (7, "\n<!-- bulkhead:plan -->"), (0, "<!-- bulkhead:plan -->\n"),
        ] {
            for provider in [Made.github, Made.gitlab, Made.gitea] as [any ForgeProvider] {
                let asked = try provider.run(Self.call(), Self.comments((30, author, body)), Self.written).asked
                #expect(asked.last?.hasPrefix("POST ") == true, "\(author) \(body)")
            }
        }
    }

    @Test func allPagesAreSearchedAndNotForEver() throws {
        let page = Self.comments((30, 9, "x"), hasNext: true)
        let found = Self.comments((31, 7, "<!-- bulkhead:plan -->"))
        let asked = try Made.github.run(Self.call(), page, page, found, Self.written).asked
        #expect(asked[2].hasSuffix("page=3"))
        #expect(asked[3].hasPrefix("PATCH"))
        var work = ForgeWork(Self.call(), at: Made.github)
        _ = try work.begin()
        for _ in 1..<40 { _ = try work.take(page) }
        #expect(throws: ForgeProblem.tooMuch) { try work.take(page) }
    }

    @Test func aRememberedOneIsWrittenAtOnce() throws {
        let asked = try Made.github.run(Self.call(id: 31), Self.written).asked
        #expect(asked == ["PATCH /repos/harbour/ship/issues/comments/31 \(Self.text)"])
        let gone = try Made.github.run(
            Self.call(id: 31), Made.answer("{}", status: 404), Self.comments(), Self.written)
        #expect(gone.asked.map { $0.prefix(5) } == ["PATCH", "GET /", "POST "])
        // A new one that is refused is not searched for again.
        #expect(Made.github.problem(Self.call(), Self.comments(), Made.answer("{}", status: 404)) == .missing)
    }

    @Test func namesAreOurs() {
        for name in ["", "a b", "a-->", "A", String(repeating: "a", count: 65)] {
            let comment = RollingComment(change: 5, name: name, author: Made.us, body: "b")
            #expect(Made.github.problem(.keepComment(Made.repository, comment)) == .unusable("name"), "\(name)")
        }
        #expect(Made.github.problem(Self.call(body: String(repeating: "a", count: 70_000))) == .unusable("body"))
    }
}
