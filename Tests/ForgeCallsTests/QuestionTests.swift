// Who may what, what a change is, and what lies in a repository: as the forges say it, and as they could lie.

import Documents
import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct QuestionTests {
    static let permission = ForgeCall.permission(Made.repository, Made.ada)
    static let change = ForgeCall.change(Made.repository, number: 5)
    static let providers: [any ForgeProvider] = [Made.github, Made.gitlab, Made.gitea]

    // MARK: permissions

    static func told(_ word: String, id: Int = 9) -> ExchangeAnswer {
        Made.answer(#"{"permission":"\#(word)","role_name":"x","user":{"id":\#(id),"login":"ada"}}"#)
    }

    static func level(_ level: Int, id: Int = 9, state: String = "active", more: String = "") -> ExchangeAnswer {
        Made.answer(#"{"id":\#(id),"username":"ada","state":"\#(state)","access_level":\#(level)\#(more)}"#)
    }

    @Test func permissionsAreOneOfFour() throws {
        let words: [(String, Permission)] = [("none", .none), ("read", .read), ("write", .write), ("admin", .admin)]
        for (word, permission) in words {
            #expect(try Made.github.run(Self.permission, Self.told(word)).result == .permission(permission))
            #expect(try Made.gitea.run(Self.permission, Self.told(word)).result == .permission(permission))
        }
        #expect(try Made.gitea.run(Self.permission, Self.told("owner")).result == .permission(.admin))
        #expect(Made.github.problem(Self.permission, Self.told("owner")) == .field("permission"))
        let levels: [(Int, Permission)] = [
            (0, .none), (5, .none), (10, .read), (15, .read), (20, .read), (30, .write), (40, .admin), (50, .admin),
        ]
        for (level, permission) in levels {
            #expect(try Made.gitlab.run(Self.permission, Self.level(level)).result == .permission(permission))
        }
    }

    @Test func whereTheyAreAsked() throws {
        #expect(
            try Made.github.run(Self.permission, Self.told("read")).asked == [
                "GET /repos/harbour/ship/collaborators/ada/permission"
            ])
        #expect(
            try Made.gitlab.run(Self.permission, Self.level(10)).asked == ["GET /api/v4/projects/42/members/all/9"])
        #expect(
            try Made.gitea.run(Self.permission, Self.told("read")).asked == [
                "GET /api/v1/repos/harbour/ship/collaborators/ada/permission"
            ])
    }

    /// Somebody else has the name now.
    @Test func aNameThatChangedHandsMayNothing() {
        #expect(Made.github.problem(Self.permission, Self.told("admin", id: 10)) == .foreign)
        #expect(Made.gitea.problem(Self.permission, Self.told("admin", id: 10)) == .foreign)
        #expect(Made.gitlab.problem(Self.permission, Self.level(50, id: 10)) == .foreign)
        #expect(Made.gitea.problem(Self.permission, Self.told("admin", id: -9)) == .foreign)
    }

    @Test func whoIsNobodyOrBlockedMayNothing() throws {
        for provider in Self.providers {
            #expect(try provider.run(Self.permission, Made.answer("{}", status: 404)).result == .permission(.none))
            #expect(provider.problem(Self.permission, Made.answer("{}", status: 403)) == .forbidden)
        }
        #expect(try Made.gitlab.run(Self.permission, Self.level(50, state: "blocked")).result == .permission(.none))
        let awaiting = Self.level(50, more: #","membership_state":"awaiting""#)
        #expect(try Made.gitlab.run(Self.permission, awaiting).result == .permission(.none))
    }

    // MARK: changes

    static func pull(
        number: Int = 5, state: String = "open", merged: Bool = false, base: Int = 42,
        head: String = #"{"id":43,"full_name":"ada/ship"}"#,
        sha: String = Made.commit.hex
    ) -> ExchangeAnswer {
        Made.answer(
            #"{"number":\#(number),"state":"\#(state)","merged":\#(merged),"draft":false,"#
                + #""user":{"id":9,"login":"ada"},"head":{"sha":"\#(sha)","ref":"fix","repo":\#(head)},"#
                + #""base":{"sha":"\#(Made.other.hex)","ref":"main","#
                + #""repo":{"id":\#(base),"full_name":"harbour/ship"}}}"#)
    }

    static func merge(
        iid: Int = 5, target: Int = 42, source: String = "43", state: String = "opened", head: String = Made.commit.hex
    ) -> ExchangeAnswer {
        Made.answer(
            #"{"iid":\#(iid),"state":"\#(state)","draft":false,"author":{"id":9,"username":"ada"},"#
                + #""sha":"\#(Made.commit.hex)","source_project_id":\#(source),"target_project_id":\#(target),"#
                + #""source_branch":"fix","target_branch":"main","diff_refs":{"base_sha":"\#(Made.commit.hex)","#
                + #""head_sha":"\#(head)","start_sha":"\#(Made.other.hex)"}}"#)
    }

    static func expected(
        _ state: ChangeState.State = .open, head: UInt64? = 43, base: Commit? = Made.other, isNamed: Bool = true
    ) -> ForgeResult {
        .change(
            ChangeState(
                number: 5, state: state, isDraft: false, author: Made.ada,
                head: .init(
                    repository: head, path: isNamed && head != nil ? "ada/ship" : nil, branch: "fix",
                    commit: Made.commit),
                base: .init(repository: 42, path: isNamed ? "harbour/ship" : nil, branch: "main", commit: base)))
    }

    @Test func aChangeIsReadFromEach() throws {
        #expect(try Made.github.run(Self.change, Self.pull()).result == Self.expected())
        #expect(try Made.gitea.run(Self.change, Self.pull()).result == Self.expected())
        #expect(try Made.gitlab.run(Self.change, Self.merge()).result == Self.expected(isNamed: false))
        #expect(try Made.github.run(Self.change, Self.pull(state: "closed")).result == Self.expected(.closed))
        #expect(
            try Made.github.run(Self.change, Self.pull(state: "closed", merged: true)).result == Self.expected(.merged))
        #expect(
            try Made.gitlab.run(Self.change, Self.merge(state: "merged")).result
                == Self.expected(.merged, isNamed: false))
        #expect(try Made.github.run(Self.change, Self.pull(head: "null")).result == Self.expected(head: nil))
        #expect(
            try Made.gitlab.run(Self.change, Self.merge(source: "null")).result
                == Self.expected(head: nil, isNamed: false))
    }

    /// GitLab compares in the background; what it says of an earlier head is not this one's base.
    @Test func gitLabsBaseBelongsToItsHead() throws {
        let late = try Made.gitlab.run(Self.change, Self.merge(head: Made.other.hex))
        #expect(late.result == Self.expected(base: nil, isNamed: false))
    }

    @Test func anotherChangeOrAnotherRepositoryIsForeign() {
        for provider in [Made.github, Made.gitea] as [any ForgeProvider] {
            #expect(provider.problem(Self.change, Self.pull(number: 6)) == .foreign)
            #expect(provider.problem(Self.change, Self.pull(base: 41)) == .foreign)
        }
        #expect(Made.gitlab.problem(Self.change, Self.merge(iid: 6)) == .foreign)
        #expect(Made.gitlab.problem(Self.change, Self.merge(target: 41)) == .foreign)
    }

    @Test func aBranchThatIsGoneHasNoCommitAtGitea() throws {
        let gone = Self.pull(sha: "")
        guard case .change(let change) = try Made.gitea.run(Self.change, gone).result else { return }
        #expect(change.head.commit == nil)
        #expect(Made.github.problem(Self.change, gone) == .field("head.sha"))
    }

    @Test func changedFilesHaveTheirOldNamesToo() throws {
        let call = ForgeCall.changedFiles(Made.repository, number: 5)
        let pulls = Made.answer(
            #"[{"filename":"a","status":"added"},{"filename":"b","previous_filename":"c","status":"renamed"}]"#,
            headers: [Made.next])
        let last = Made.answer(#"[{"filename":"d"}]"#)
        let github = try Made.github.run(call, pulls, last)
        #expect(github.result == .changedFiles(ChangedFiles(paths: ["a", "b", "c", "d"], isComplete: true)))
        #expect(github.asked[1] == "GET /repos/harbour/ship/pulls/5/files?per_page=100&page=2")
        let gitea = try Made.gitea.run(call, pulls, last)
        #expect(gitea.asked[0] == "GET /api/v1/repos/harbour/ship/pulls/5/files?limit=50&page=1")
        let diffs = Made.answer(
            #"[{"old_path":"a","new_path":"a","diff":"x"},{"old_path":"c","new_path":"b","diff":""}]"#)
        let gitlab = try Made.gitlab.run(call, diffs)
        #expect(gitlab.result == .changedFiles(ChangedFiles(paths: ["a", "b", "c"], isComplete: true)))
        #expect(gitlab.asked == ["GET /api/v4/projects/42/merge_requests/5/diffs?per_page=30&page=1"])
    }

    @Test func aListThatDoesNotEndIsNotComplete() throws {
        let page = Made.answer(#"[{"filename":"a"}]"#, headers: [Made.next])
        var work = ForgeWork(.changedFiles(Made.repository, number: 5), at: Made.github)
        _ = try work.begin()
        for _ in 1..<40 { _ = try work.take(page) }
        guard case .done(.changedFiles(let files)) = try work.take(page) else {
            Issue.record("it goes on")
            return
        }
        #expect(!files.isComplete)
        let many = "[" + Array(repeating: #"{"filename":"a"}"#, count: 3000).joined(separator: ",") + "]"
        let full = try Made.github.run(.changedFiles(Made.repository, number: 5), Made.answer(many))
        guard case .changedFiles(let cut) = full.result else { return }
        #expect(!cut.isComplete)
    }

    // MARK: sources

    @Test func archivesAreAskedForAtTheirCommit() throws {
        let call = ForgeCall.archive(Made.repository, Made.commit)
        var requests: [ExchangeRequest] = []
        for provider in Self.providers {
            var work = ForgeWork(call, at: provider)
            #expect(work.wantsSink)
            requests.append(try work.begin())
            #expect(try work.take(ExchangeAnswer(status: 200)) == .done(.archive))
        }
        #expect(
            requests.map(\.line) == [
                "GET /repos/harbour/ship/tarball/\(Made.commit.hex)",
                "GET /api/v4/projects/42/repository/archive.tar.gz?sha=\(Made.commit.hex)",
                "GET /api/v1/repos/harbour/ship/archive/\(Made.commit.hex).tar.gz",
            ])
        #expect(requests.map(\.redirects) == [[Made.archives], [], []])
        for (status, problem) in [(302, ForgeProblem.redirected), (404, .missing), (206, .refused(status: 206))] {
            #expect(Made.github.problem(call, ExchangeAnswer(status: status)) == problem)
        }
    }

    /// What says which repository it is, is no part of the archive.
    @Test func anAnswerAboutTheRepositoryIsNotPoured() throws {
        var work = ForgeWork(
            .archive(Made.repository, Made.commit), at: Made.github, doubting: Repository(id: 0, path: "harbour/ship"))
        _ = try work.begin()
        #expect(!work.wantsSink)
        _ = try work.take(Made.answer(#"{"id":42,"full_name":"harbour/ship"}"#))
        #expect(work.wantsSink)
    }

    static func contents(type: String = "file", size: Int = 5, encoding: String = "base64") -> ExchangeAnswer {
        Made.answer(#"{"type":"\#(type)","encoding":"\#(encoding)","size":\#(size),"content":"aGVs\nbG8=\n"}"#)
    }

    @Test func aFileIsReadAtItsCommit() throws {
        let call = ForgeCall.file(Made.repository, path: "ci/job file.yaml", Made.commit)
        for (provider, path) in [
            (Made.github, "/repos/harbour/ship/contents/ci/job%20file.yaml"),
            (Made.gitea, "/api/v1/repos/harbour/ship/contents/ci/job%20file.yaml"),
        ] as [(any ForgeProvider, String)] {
            let read = try provider.run(call, Self.contents())
            #expect(read.asked == ["GET \(path)?ref=\(Made.commit.hex)"])
            #expect(read.result == .file(Array("hello".utf8)))
            for type in ["symlink", "submodule", "dir"] {
                #expect(provider.problem(call, Self.contents(type: type)) == .missing)
            }
            #expect(provider.problem(call, Made.answer("[]")) == .missing)
            #expect(provider.problem(call, Self.contents(size: 4)) == .field("content"))
            #expect(provider.problem(call, Self.contents(size: 2 << 20, encoding: "none")) == .tooMuch)
            #expect(provider.problem(call, Self.contents(encoding: "none")) == .field("encoding"))
        }
    }

    @Test func gitLabSaysOfWhichCommitAFileIs() throws {
        let call = ForgeCall.file(Made.repository, path: "ci/job.yaml", Made.commit)
        func answer(_ commit: Commit, size: Int = 5) -> ExchangeAnswer {
            ExchangeAnswer(
                status: 200,
                headers: [HeaderField("X-Gitlab-Commit-Id", commit.hex), HeaderField("X-Gitlab-Size", "\(size)")],
                body: Array("hello".utf8))
        }
        let read = try Made.gitlab.run(call, answer(Made.commit))
        #expect(
            read.asked == ["GET /api/v4/projects/42/repository/files/ci%2Fjob.yaml/raw?ref=\(Made.commit.hex)"])
        #expect(read.result == .file(Array("hello".utf8)))
        #expect(Made.gitlab.problem(call, answer(Made.other)) == .foreign)
        #expect(Made.gitlab.problem(call, answer(Made.commit, size: 6)) == .field("x-gitlab-size"))
        #expect(Made.gitlab.problem(call, ExchangeAnswer(status: 200)) == .foreign)
    }

    @Test(arguments: ["", "/ci/x", "ci//x", "../x", "ci/../x", "ci/./x", "ci/", "a\u{0}"])
    func pathsThatLeaveAreNotAsked(_ path: String) {
        for provider in Self.providers {
            #expect(provider.problem(.file(Made.repository, path: path, Made.commit)) == .unusable("path"))
        }
    }

    @Test(arguments: ["ship", "a/b/c", "../x", "a/..", "/ship", "harbour/", ""])
    func repositoriesThatAreNoneAreNotAsked(_ path: String) {
        let call = ForgeCall.change(Repository(id: 42, path: path), number: 5)
        #expect(Made.github.problem(call) != nil)
        #expect(Made.gitea.problem(call) != nil)
        // There the number is the name.
        #expect(Made.gitlab.problem(call) == nil)
    }
}
