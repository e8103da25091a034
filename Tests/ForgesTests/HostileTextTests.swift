// W18: whatever a stranger writes comes out byte for byte, or the delivery is refused. Nothing becomes something else.

import Deliveries
import ForgeModel
import Foundation
import Testing

struct HostileTextTests {
    private static let hostile: [String] = [
        "$(reboot)", "`id`", "a;b", "a|b", "a&&b", "a\nb", "a\r\nb", "a\0b", "%0a", "%00", "\u{1B}[31mred",
        "\u{1B}]52;c;eA==\u{7}",
        "\u{202E}gnp.exe", "\u{2066}x\u{2069}", "\u{200B}", "\u{FEFF}x", "é", "e\u{301}", "\u{212A}", "\u{37E}", "ſ",
        "İ", "😀", "👩‍👩‍👧",
        "\u{301}x", "../../etc/passwd", "..;/", "%2e%2e", "//", "@/etc/passwd", "-rf", "--upload-pack=x", "'", "\"",
        "\\", "\\u0041",
        "</script>", "{{7*7}}", "${IFS}", "refs/heads/x", "refs/heads/../x", "main\u{0}", "\u{7F}", "\u{85}",
        "\u{FFFF}", "\u{10FFFF}",
        " ", " main", "main ", "null", "true", "0", "=1+1", "::set-output name=x::y",
        String(repeating: "A", count: 1024),
        String(repeating: "B", count: 1025), String(repeating: "😀", count: 16_384),
        String(repeating: "\u{301}", count: 3_000), "",
    ]

    /// Random scalars, many of them from where things go wrong.
    private static func random(_ state: inout UInt64) -> String {
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let odd: [UInt32] = [
            0, 9, 10, 13, 0x1B, 0x22, 0x24, 0x27, 0x2F, 0x5C, 0x60, 0x7F, 0x301, 0x200D, 0x202E, 0x2028, 0xFFFD,
        ]
        var text = String.UnicodeScalarView()
        for _ in 0...next(12) {
            let value = next(2) == 0 ? odd[Int(next(UInt64(odd.count)))] : UInt32(next(0x3000))
            if let scalar = Unicode.Scalar(value) { text.append(scalar) }
        }
        return String(text)
    }

    /// A place in a payload for a text, and what became of it. The text may only come out of there.
    private static let places:
        [(forge: Forge, event: String, name: String, path: String, before: String, out: @Sendable (Event) -> String?)] =
            [
                (.github, "push", "push_branch", "ref", "refs/heads/", branch),
                (.github, "push", "push_tag", "ref", "refs/tags/", tag),
                (.github, "pull_request", "pull_request_opened_fork", "pull_request.head.ref", "", headBranch),
                (.github, "pull_request", "pull_request_opened_fork", "pull_request.head.repo.full_name", "", headPath),
                (.github, "pull_request", "pull_request_opened_fork", "pull_request.user.login", "", author),
                (.github, "issue_comment", "issue_comment_created", "comment.body", "", comment),
                (.github, "check_run", "check_run_requested_action", "requested_action.identifier", "", button),
                (.gitea, "push", "push_branch", "ref", "refs/heads/", branch),
                (.gitea, "pull_request", "pull_request_opened_fork", "pull_request.head.ref", "", headBranch),
                (.forgejo, "issue_comment", "issue_comment_created", "comment.body", "", comment),
                (.gitlab, "Push Hook", "push_branch", "ref", "refs/heads/", branch),
                (.gitlab, "Tag Push Hook", "tag_push", "ref", "refs/tags/", tag),
                (
                    .gitlab, "Merge Request Hook", "merge_request_open_fork", "object_attributes.source_branch", "",
                    headBranch
                ),
                (
                    .gitlab, "Merge Request Hook", "merge_request_open_fork",
                    "object_attributes.source.path_with_namespace", "",
                    headPath
                ),
                (.gitlab, "Merge Request Hook", "merge_request_open_fork", "user.username", "", author),
                (.gitlab, "Note Hook", "note_created", "object_attributes.note", "", comment),
            ]

    @Test func comesOutOrIsRefused() throws {
        var state: UInt64 = 0xF0_12
        let texts = Self.hostile + (0..<200).map { _ in Self.random(&state) }
        var (out, refused) = (0, 0)
        for place in Self.places {
            let payload = try Payload(place.forge, place.event, place.name)
            for text in texts {
                let changed = try payload.setting(place.path, to: place.before + text)
                guard let event = try? changed.read() else {
                    refused += 1
                    continue
                }
                let read = place.out(event)
                if read == nil, place.before != "", text.isEmpty { continue }
                out += 1
                #expect(
                    read.map { Array($0.utf8) } == Array(text.utf8),
                    "\(place.name) \(place.path): \(text.debugDescription)")
                // And the rest is what it was without it.
                #expect(try place.out(payload.setting(place.path, to: place.before + "x").read()) == "x")
            }
        }
        // Comments may say anything; names may not hold control characters.
        #expect(out > 2_000 && refused > 500)
    }

    /// Titles, messages, bodies: nobody asks for them, so nothing depends on them.
    @Test func whatIsNotAskedForChangesNothing() throws {
        let payload = try Payload(.github, "pull_request", "pull_request_opened_fork")
        let event = try payload.read()
        for text in Self.hostile {
            for path in [
                "pull_request.title", "pull_request.body", "pull_request.head.label", "repository.description",
            ] {
                #expect(try payload.setting(path, to: text).read() == event)
            }
        }
    }

    /// Git has two branches where Swift sees one text.
    @Test func namesAreComparedByBytes() {
        #expect("caf\u{E9}" == "cafe\u{301}", "the language's own comparison")
        #expect(Reference.branch("caf\u{E9}") != .branch("cafe\u{301}"))
        #expect(Set([Reference.branch("\u{212A}"), .branch("K"), .branch("K"), .tag("K")]).count == 3)
    }

    private static let branch: @Sendable (Event) -> String? = {
        if case .push(let push) = $0, case .branch(let name) = push.reference { name } else { nil }
    }
    private static let tag: @Sendable (Event) -> String? = {
        if case .push(let push) = $0, case .tag(let name) = push.reference { name } else { nil }
    }
    private static let headBranch: @Sendable (Event) -> String? = {
        if case .change(let change) = $0 { change.head.branch } else { nil }
    }
    private static let headPath: @Sendable (Event) -> String? = {
        if case .change(let change) = $0 { change.head.repository?.path } else { nil }
    }
    private static let author: @Sendable (Event) -> String? = {
        if case .change(let change) = $0 { change.author.name } else { nil }
    }
    private static let comment: @Sendable (Event) -> String? = {
        if case .comment(let comment) = $0 { comment.body } else { nil }
    }
    private static let button: @Sendable (Event) -> String? = {
        if case .button(let button) = $0 { button.identifier } else { nil }
    }
}
