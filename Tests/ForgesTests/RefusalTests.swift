// What has no event: W7, W8, W13, and headers that say one thing while the body says another.

import Deliveries
import Documents
import ForgeModel
import Testing

struct RefusalTests {
    typealias Row = (forge: Forge, event: String, name: String, is: Event)

    static let all: [Row] =
        GitHubTests.recorded.map { (.github, $0.event, $0.name, $0.is) }
        + [(.github, "check_run", "check_run_requested_action", .other("a button"))]
        + GiteaTests.recorded.map { (.gitea, $0.event, $0.name, $0.is) }
        + GitLabTests.recorded.map { (.gitlab, $0.event, $0.name, $0.is) }

    /// Without any of these, or with another kind of value there, nothing is left to believe.
    static let needed: [(Forge, String, String, [String])] = [
        (
            .github, "push", "push_branch",
            [
                "repository", "repository.id", "repository.full_name", "sender", "sender.id", "sender.login", "ref",
                "after",
            ]
        ),
        (
            .github, "pull_request", "pull_request_opened_fork",
            [
                "action", "number", "pull_request", "pull_request.user", "pull_request.user.id", "pull_request.head",
                "pull_request.head.sha", "pull_request.head.ref", "pull_request.head.repo.id",
                "pull_request.base.repo.id", "pull_request.base.sha", "repository.id", "sender.id",
            ]
        ),
        (
            .github, "issue_comment", "issue_comment_created",
            ["issue.number", "comment.user.id", "comment.user.type", "comment.body", "sender.id"]
        ),
        (
            .github, "check_run", "check_run_requested_action",
            ["action", "requested_action.identifier", "check_run.head_sha", "repository.id"]
        ),
        (.gitea, "push", "push_branch", ["ref", "before", "after", "repository.id", "sender.login"]),
        (
            .gitea, "pull_request", "pull_request_opened_fork",
            ["number", "pull_request.head.ref", "pull_request.head.repo.id", "pull_request.base.sha", "repository.id"]
        ),
        (.gitea, "issue_comment", "issue_comment_created", ["issue.number", "comment.user.id", "comment.body"]),
        (
            .gitlab, "Push Hook", "push_branch",
            ["object_kind", "ref", "before", "after", "project.id", "project_id", "user_id", "user_username"]
        ),
        (
            .gitlab, "Merge Request Hook", "merge_request_open_fork",
            ["iid", "author_id", "source_branch", "target_branch", "target_project_id", "source.path_with_namespace"]
                .map { "object_attributes.\($0)" } + ["object_kind", "project.id", "user.id", "user.username"]
        ),
        (
            .gitlab, "Note Hook", "note_created",
            ["merge_request.iid", "merge_request.target_project_id", "object_attributes.note", "user.username"]
        ),
        (.gitlab, "Job Hook", "job_pending", ["object_kind", "build_status", "project.id"]),
        (.gitlab, "Pipeline Hook", "pipeline_running", ["object_kind", "object_attributes.status", "project.id"]),
    ]

    @Test(arguments: needed) func isNeeded(_ row: (Forge, String, String, [String])) throws {
        let payload = try Payload(row.0, row.1, row.2)
        for path in row.3 {
            #expect(throws: Refusal.self, "without \(path)") { try payload.setting(path, to: nil).read() }
            // What people write may be empty.
            let text = path.hasSuffix("body") || path.hasSuffix("note") ? [] : [""]
            for value in [true, [Int](), -7.5] as [Any] + text {
                #expect(throws: Refusal.self, "\(path): \(value)") { try payload.setting(path, to: value).read() }
            }
        }
    }

    @Test func numbersAreNumbers() throws {
        let payload = try Payload(.github, "push", "push_branch")
        for value in ["\"4711\"", "4711.0", "-4711", "4.711e3", "9223372036854775808", "1e400"] {
            #expect(throws: Refusal.self, "\(value)") {
                try payload.replacing("\"id\": 4711,", "\"id\": \(value),").read()
            }
        }
    }

    @Test(arguments: ["1f3c7a9", Samples.head.uppercased(), Samples.head + "0", "HEAD", Samples.none + "0", "../x"])
    func isNoCommit(_ hex: String) throws {
        for (event, name) in [("push", "push_branch"), ("pull_request", "pull_request_opened_fork")] {
            #expect(throws: Refusal.self) { try Payload(.github, event, name).replacing(Samples.head, hex).read() }
            #expect(throws: Refusal.self) { try Payload(.gitea, event, name).replacing(Samples.head, hex).read() }
        }
        #expect(throws: Refusal.self) {
            try Payload(.gitlab, "Push Hook", "push_branch").replacing(Samples.head, hex).read()
        }
    }

    @Test func aPushOfNothing() throws {
        #expect(throws: Refusal.fact("after")) {
            try Payload(.github, "push", "push_branch")
                .setting("after", to: Samples.none).setting("before", to: Samples.none).read()
        }
    }

    @Test func otherReferencesAreNoPush() throws {
        for name in ["refs/notes/x", "refs/pull/1/head", "main", "refs/heads/", "REFS/HEADS/main"] {
            let payload = try Payload(.github, "push", "push_branch").setting("ref", to: name)
            #expect(try payload.read() == .other("push"), "\(name)")
        }
    }

    // MARK: W13

    @Test func anotherRepositoryIsForeign() throws {
        func refuses(_ payload: Payload, _ path: String, _ value: Int) throws {
            #expect(throws: Refusal.foreign, "\(path)") { try payload.setting(path, to: value).read() }
        }
        try refuses(try Payload(.github, "pull_request", "pull_request_opened_fork"), "repository.id", 4812)
        try refuses(try Payload(.github, "pull_request", "pull_request_opened_fork"), "pull_request.base.repo.id", 4812)
        try refuses(try Payload(.gitea, "pull_request", "pull_request_opened_fork"), "repository.id", 32)
        try refuses(try Payload(.gitlab, "Push Hook", "push_branch"), "project_id", 16)
        let change = try Payload(.gitlab, "Merge Request Hook", "merge_request_open_fork")
        try refuses(change, "object_attributes.target_project_id", 16)
        try refuses(change, "project.id", 16)
        try refuses(try Payload(.gitlab, "Note Hook", "note_created"), "merge_request.target_project_id", 16)
    }

    // MARK: W8

    @Test(arguments: all) func aKeyGivenTwiceIsRefused(_ row: Row) throws {
        let payload = try Payload(row.forge, row.event, row.name)
        if case .other = try payload.read(), row.name != "check_run_requested_action" { return }
        let key = row.forge == .gitlab ? "project" : "repository"
        let text = String(decoding: payload.body, as: UTF8.self)
        for twin in [
            key, key.prefix(1).uppercased() + key.dropFirst(), key.uppercased(),
            "\\u00\(String(key.utf8.first ?? 0, radix: 16))\(key.dropFirst())",
        ] {
            for value in ["null", "{\"id\": 1}", "1"] {
                for body in ["{\"\(twin)\": \(value),\(text.dropFirst())", "\(text.dropLast(2)),\"\(twin)\":\(value)}"]
                {
                    let twins = Payload(row.forge, row.event, body: Array(body.utf8))
                    #expect(throws: Refusal.self, "\(twin): \(value)") { try twins.read() }
                }
            }
        }
        // Elsewhere it is nobody's business.
        let other = "{\"zzz\": 1, \"zzz\": {\"zzz\": 1, \"zzz\": [2]}, \"ZZZ\": 1,\(text.dropFirst())"
        #expect(try Payload(row.forge, row.event, body: Array(other.utf8)).read() == payload.read())
    }

    // MARK: headers

    /// No forge signs its headers: a body sent under another event's name says the same, or nothing.
    @Test(arguments: all) func anotherNameMakesNoOtherEvent(_ row: Row) throws {
        let payload = try Payload(row.forge, row.event, row.name)
        let real = try payload.read()
        for event in Set(Self.all.filter { $0.forge == row.forge }.map(\.event)) where event != row.event {
            guard let read = try? Payload(row.forge, event, body: payload.body).read() else { continue }
            guard case .other = read else {
                #expect(read == real, "\(row.name) as \(event)")
                continue
            }
        }
    }

    /// What Gitea and Forgejo send for GitHub's readers is not for ours.
    @Test func theFirstNameCounts() throws {
        let headers: [(Forge, [String])] = [
            (.forgejo, ["x-github-event", "x-gitea-event", "X-FORGEJO-EVENT"]),
            (.gitea, ["X-GitHub-Event", "X-Gitea-Event"]),
            (.gitlab, ["X-Gitlab-Event"]), (.github, ["X-GitHub-Event"]),
        ]
        for (forge, names) in headers {
            #expect(try Forge(of: Headers(names.map { ($0, "push") })) == forge)
        }
        #expect(throws: Refusal.self) { try Forge(of: Headers([("X-Gogs-Event", "push")])) }
        let payload = try Payload(.github, "push", "push_branch")
        #expect(throws: Refusal.header("x-github-event")) {
            try payload.read(payload.headers + [("X-Gitea-Event", "push")])
        }
    }

    @Test(arguments: ["", "a\nb", "push\0", String(repeating: "x", count: 65), "\u{1B}[31m", "é"])
    func isNoNameOfAnEvent(_ name: String) throws {
        for forge in Forge.allCases {
            #expect(throws: Refusal.header(forge.eventHeader)) { try Payload(forge, name, body: []).read() }
            let twice = [(name: forge.eventHeader, value: "push"), (forge.eventHeader, "push")]
            #expect(throws: Refusal.header(forge.eventHeader)) { try Payload(forge, "", body: []).read(twice) }
        }
    }

    @Test func onlyPlainJSON() throws {
        let payload = try Payload(.gitea, "push", "push_branch")
        let event = payload.headers.filter { $0.name != "Content-Type" }
        for type in ["application/json", "Application/JSON", "application/json; charset=UTF-8"] {
            #expect(throws: Never.self) { try payload.read(event + [("content-type", type)]) }
        }
        for type in [
            "application/x-www-form-urlencoded", "text/json", "", "application/json; charset=latin1",
            "application/jsonx",
        ] {
            #expect(throws: Refusal.encoding, "\(type)") { try payload.read(event + [("content-type", type)]) }
        }
        #expect(throws: Refusal.encoding) { try payload.read(event) }
        #expect(throws: Refusal.header("content-type")) {
            try payload.read(payload.headers + [("content-type", "application/json")])
        }
        for coding in ["gzip", "identity", ""] {
            #expect(throws: Refusal.encoding) { try payload.read(payload.headers + [("Content-Encoding", coding)]) }
        }
    }

    // MARK: W7

    private static let deep = String(repeating: "[", count: 100_000)

    @Test(
        arguments: [
            "", "[]", "null", "{", "{}{}", "payload=%7B%7D", "{\"a\":\(deep)", "{\"repository\":\(deep)",
            #"{"repository":{"full_name":"\ud800"}}"#, #"{"x":"\ud800"}"#, #"{"x":01}"#, #"{"x":1e}"#, #"{"x":tru}"#,
            #"{"x":"\x"}"#, "{\"x\":\"\n\"}", #"{"x":[1,]}"#, #"{"\ud800":1}"#,
        ]) func isNoDocument(_ text: String)
    {
        for forge in Forge.allCases {
            let event = forge == .gitlab ? "Push Hook" : "push"
            #expect(throws: Refusal.self) { try Payload(forge, event, body: Array(text.utf8)).read() }
        }
    }

    @Test func notUTF8() throws {
        for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
            let body = Array(#"{"x":""#.utf8) + bytes + Array(#""}"#.utf8)
            #expect(throws: Refusal.document(.syntax("this is not UTF-8", Place(line: 1, column: 7)))) {
                try Payload(.github, "push", body: body).read()
            }
        }
    }

    @Test func aMillionKeysAreOnlyPassedOver() throws {
        let payload = try Payload(.github, "push", "push_branch")
        let keys = (0..<1_000_000).map { "\"k\($0)\":0" }.joined(separator: ",")
        let body = Array("{\"x\":{\(keys)},\(keys),".utf8) + payload.body.dropFirst()
        #expect(try Payload(.github, "push", body: body).read() == payload.read())
    }
}
