// W14: an approval is a command that a person gave, seeing what it says. Sixty comments that look like one, nearly.

import ForgeModel
import ProjectModel
import Testing
import TrustModel

private let sha = String(repeating: "a", count: 40)
private let command = "/bulkhead approve \(sha)"

@Suite struct ApprovalCommandTests {
    enum Wanted { case none, mistake, approve }

    struct Case: CustomTestStringConvertible, Sendable {
        let what: String
        let body: String
        let wanted: Wanted

        init(_ wanted: Wanted, _ what: String, _ body: String) {
            self.wanted = wanted
            self.what = what
            self.body = body
        }

        var testDescription: String { what }
    }

    static let commands: [Case] = [
        .init(.approve, "the command", command), .init(.approve, "with a line's end", command + "\n"),
        .init(.approve, "as browsers end lines", command + "\r\n"),
        .init(.approve, "words below it", command + "\n\nLooks good, thanks!"),
        .init(.approve, "words below it, as browsers end lines", command + "\r\n\r\nThanks"),
        .init(.approve, "a commit of SHA-256", "/bulkhead approve " + String(repeating: "b", count: 64)),
        .init(.approve, "and the branch", command + " into main"),
        .init(.approve, "and a branch of many words", command + " into release/1.2-caf\u{E9}\nThanks"),
    ]

    static let branches: [Case] = [
        .init(.mistake, "no branch", command + " into"), .init(.mistake, "no branch, a space", command + " into "),
        .init(.mistake, "another word for into", command + " to main"),
        .init(.mistake, "a capital into", command + " Into main"),
        .init(.mistake, "only a branch", command + " main"), .init(.mistake, "two branches", command + " into a b"),
        .init(.mistake, "two spaces before it", command + " into  main"),
        .init(.mistake, "a space behind it", command + " into main "),
        .init(.mistake, "a tab in it", command + " into ma\tin"),
        .init(.mistake, "an old Mac's line in it", command + " into main\rno"),
        .init(.mistake, "a tab before it", command + "\tinto main"),
    ]

    static let places: [Case] = [
        .init(.none, "nothing", ""), .init(.none, "an empty line before", "\n" + command),
        .init(.none, "words before", "I think so:\n" + command), .init(.none, "a space before", " " + command),
        .init(.none, "a tab before", "\t" + command), .init(.none, "code by four spaces", "    " + command),
        .init(.none, "a quote", "> " + command), .init(.none, "a quote without a space", ">" + command),
        .init(.none, "a quote and an answer", "> " + command + "\n\nno!"),
        .init(.none, "below a quote", "> please write\n" + command),
        .init(.none, "a code fence", "```\n" + command + "\n```"),
        .init(.none, "a code fence with a language", "```text\n" + command + "\n```"),
        .init(.none, "a code fence of tildes", "~~~\n" + command + "\n~~~"), .init(.none, "code", "`" + command + "`"),
        .init(.none, "a hidden comment", "<!--\n" + command + "\n-->"),
        .init(.none, "folded away", "<details>\n" + command + "\n</details>"),
        .init(.none, "of a list", "- " + command), .init(.none, "a heading", "# " + command),
        .init(.none, "bold", "**" + command + "**"), .init(.none, "a table", "| " + command + " |"),
        .init(.none, "a link", "[\(command)](x)"), .init(.none, "struck out", "~~" + command + "~~"),
        .init(.none, "talk about it", "write " + command + " to approve"), .init(.none, "a path", "x" + command),
        .init(.none, "a byte order mark", "\u{FEFF}" + command), .init(.none, "NUL before", "\0" + command),
        .init(.none, "an old Mac's line before", "x\r" + command),
        .init(.none, "turned around", "\u{202E}" + command),
        .init(.none, "nothing visible before", "\u{200B}" + command),
    ]

    static let words: [Case] = [
        .init(.none, "another case", "/Bulkhead approve \(sha)"), .init(.none, "no slash", "bulkhead approve \(sha)"),
        .init(.none, "another slash", "\u{2215}bulkhead approve \(sha)"),
        .init(.none, "a wide slash", "\u{FF0F}bulkhead approve \(sha)"),
        .init(.none, "a Cyrillic a", "/bulkhe\u{430}d approve \(sha)"),
        .init(.none, "an accent on the slash", "/\u{301}bulkhead approve \(sha)"),
        .init(.none, "a joiner in the name", "/bulk\u{200D}head approve \(sha)"),
        .init(.none, "an entity", "&#47;bulkhead approve \(sha)"),
        .init(.mistake, "another word", "/bulkhead approved \(sha)"),
        .init(.mistake, "a capital", "/bulkhead Approve \(sha)"),
        .init(.mistake, "a Cyrillic a in the word", "/bulkhead \u{430}pprove \(sha)"),
        .init(.mistake, "no word", "/bulkhead \(sha)"), .init(.mistake, "only the name", "/bulkhead"),
        .init(.mistake, "no commit", "/bulkhead approve"), .init(.mistake, "no commit, a space", "/bulkhead approve "),
        .init(.mistake, "two spaces", "/bulkhead  approve \(sha)"),
        .init(.mistake, "two spaces before the commit", "/bulkhead approve  \(sha)"),
        .init(.mistake, "a tab", "/bulkhead\tapprove \(sha)"),
        .init(.mistake, "a space that does not break", "/bulkhead\u{A0}approve \(sha)"),
        .init(.mistake, "a wide space", "/bulkhead approve\u{3000}\(sha)"),
        .init(.mistake, "an accent on the space", "/bulkhead approve \u{301}\(sha)"),
        .init(.mistake, "a longer name", "/bulkheadapprove \(sha)"),
    ]

    static let commits: [Case] = [
        .init(.mistake, "a short commit", "/bulkhead approve aaaaaaa"),
        .init(.mistake, "a digit too few", "/bulkhead approve " + String(sha.dropLast())),
        .init(.mistake, "a digit too many", command + "a"), .init(.mistake, "capitals", command.uppercasedCommit),
        .init(.mistake, "a branch", "/bulkhead approve main"), .init(.mistake, "HEAD", "/bulkhead approve HEAD"),
        .init(.mistake, "only zeros", "/bulkhead approve " + String(repeating: "0", count: 40)),
        .init(.mistake, "a Cyrillic digit", "/bulkhead approve \u{430}" + sha.dropLast()),
        .init(.mistake, "wide digits", "/bulkhead approve " + String(repeating: "\u{FF11}", count: 40)),
        .init(.mistake, "Arabic digits", "/bulkhead approve " + String(repeating: "\u{661}", count: 40)),
        .init(.mistake, "an accent behind", command + "\u{301}"),
        .init(.mistake, "nothing visible behind", command + "\u{200B}"), .init(.mistake, "a dot", command + "."),
        .init(.mistake, "a space behind", command + " "), .init(.mistake, "NUL behind", command + "\0"),
        .init(.mistake, "two commits", command + " " + sha), .init(.mistake, "words behind", command + " please"),
        .init(.mistake, "quotes", "/bulkhead approve \"\(sha)\""),
        .init(.mistake, "code", "/bulkhead approve `\(sha)`"),
        .init(.mistake, "another kind of line end", command + "\u{2028}x"),
        .init(.mistake, "a vertical tab", command + "\u{B}x"), .init(.mistake, "an old Mac's line", command + "\rno"),
    ]

    @Test func thereAreSixty() {
        #expect((Self.commands + Self.branches + Self.places + Self.words + Self.commits).count >= 60)
    }

    /// W14: what a comment says.
    @Test(arguments: commands + branches + places + words + commits) func aComment(_ one: Case) {
        switch (one.wanted, Self.read(one.body)) {
        case (.none, .none), (.mistake, .mistake): break
        case (.approve, .approve(let request)):
            #expect(request.number == 5 && request.by == Sample.alice && request.repository == Sample.own)
        case (_, let other): Issue.record("\(other)")
        }
    }

    /// The branch is the one that he names, or else the one that the delivery says.
    @Test func theBranchOfACommand() {
        func branch(_ body: String, told: String? = nil) -> String?? {
            guard case .approve(let request) = Self.read(body, branch: told) else { return nil }
            return .some(request.branch)
        }
        #expect(branch(command) == .some(nil) && branch(command, told: "dev") == "dev")
        #expect(branch(command + " into main") == "main" && branch(command + " into main", told: "dev") == "main")
        // What is shown for copying is read as what it says; a name that git does not know is left out.
        for name in ["main", "release/1.2", "caf\u{E9}", "a`b", "into"] {
            #expect(branch(ApprovalCommand.text(sha, into: name)) == name)
        }
        for name in ["a b", "a\nb", "a\tb", "a\rb"] { #expect(ApprovalCommand.text(sha, into: name) == command) }
    }

    /// W14: edited and deleted comments, and those of machines.
    @Test func onlyANewCommentOfAPerson() {
        #expect(Self.read(command) != .none)
        #expect(Self.read(command, isNew: false) == .none)
        #expect(Self.read(command, isByBot: true) == .none)
    }

    private static func read(
        _ body: String, isNew: Bool = true, isByBot: Bool = false, branch: String? = nil
    ) -> ApprovalCommand {
        ApprovalCommand(
            Comment(
                repository: Sample.own, number: 5, author: Sample.alice, isByBot: isByBot, isNew: isNew, branch: branch,
                body: body))
    }
}

extension String {
    fileprivate var uppercasedCommit: String { replacing(sha, with: sha.uppercased()) }
}
