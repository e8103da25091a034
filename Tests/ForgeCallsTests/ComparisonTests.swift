// What differs between commits, where a branch is, and whether a number and a path are of one repository.

import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct ComparisonTests {
    static let call = ForgeCall.comparison(Made.repository, base: Made.commit, head: Made.other)

    static func github(_ files: String, status: String = "ahead") -> ExchangeAnswer {
        Made.answer(
            #"{"status":"\#(status)","base_commit":{"sha":"\#(Made.commit.hex)"},"files":[\#(files)],"commits":[]}"#)
    }

    static func file(_ name: String) -> String { #"{"filename":"\#(name)"}"# }

    @Test func githubComparesFromWhereTheyParted() throws {
        let renamed = #"{"filename":"b","previous_filename":"c"}"#
        let found = try Made.github.run(Self.call, Self.github(Self.file("a") + "," + renamed))
        #expect(found.asked == ["GET /repos/harbour/ship/compare/\(Made.commit.hex)...\(Made.other.hex)"])
        #expect(found.result == .changedFiles(ChangedFiles(paths: ["a", "b", "c"], isComplete: true)))
        for (status, isComplete) in [("ahead", true), ("identical", true), ("diverged", false), ("behind", false)] {
            let result = try Made.github.run(Self.call, Self.github(Self.file("a"), status: status)).result
            #expect(result == .changedFiles(ChangedFiles(paths: ["a"], isComplete: isComplete)), "\(status)")
        }
        let many = (0..<300).map { Self.file("f\($0)") }.joined(separator: ",")
        guard case .changedFiles(let cut) = try Made.github.run(Self.call, Self.github(many)).result else { return }
        #expect(!cut.isComplete)
        let other = Made.answer(#"{"status":"ahead","base_commit":{"sha":"\#(Made.other.hex)"},"files":[]}"#)
        #expect(Made.github.problem(Self.call, other) == .foreign)
    }

    @Test func gitlabComparesStraight() throws {
        func answer(_ isCut: Bool) -> ExchangeAnswer {
            Made.answer(#"{"diffs":[{"old_path":"a","new_path":"b"}],"compare_timeout":\#(isCut)}"#)
        }
        let found = try Made.gitlab.run(Self.call, answer(false))
        #expect(
            found.asked == [
                "GET /api/v4/projects/42/repository/compare?from=\(Made.commit.hex)&to=\(Made.other.hex)&straight=true"
            ])
        #expect(found.result == .changedFiles(ChangedFiles(paths: ["b", "a"], isComplete: true)))
        #expect(
            try Made.gitlab.run(Self.call, answer(true)).result
                == .changedFiles(ChangedFiles(paths: ["b", "a"], isComplete: false)))
    }

    @Test func giteaHasTheFilesOfEachCommit() throws {
        func answer(parent: Commit, total: Int = 2) -> ExchangeAnswer {
            let commits = [("x", Made.other), ("y", parent)].map { name, parent in
                #"{"files":[{"filename":"\#(name)"},{"filename":"z"}],"parents":[{"sha":"\#(parent.hex)"}]}"#
            }
            return Made.answer(#"{"total_commits":\#(total),"commits":[\#(commits.joined(separator: ","))]}"#)
        }
        let found = try Made.gitea.run(Self.call, answer(parent: Made.commit))
        #expect(found.result == .changedFiles(ChangedFiles(paths: ["x", "y", "z"], isComplete: true)))
        // They parted, or there are more.
        for odd in [answer(parent: Made.other), answer(parent: Made.commit, total: 3)] {
            guard case .changedFiles(let files) = try Made.gitea.run(Self.call, odd).result else { return }
            #expect(!files.isComplete)
        }
    }

    @Test func filesAreThoseOfTheCommitsThatWereMeant() throws {
        let call = ForgeCall.changedFiles(Made.repository, number: 5, head: Made.commit)
        let files = Made.answer("[\(Self.file("a"))]")
        for (head, isComplete) in [(Made.commit, true), (Made.other, false)] {
            let now = Made.answer(NewsTests.change(5, 30, head: head))
            #expect(
                try Made.github.run(call, files, now).result
                    == .changedFiles(ChangedFiles(paths: ["a"], isComplete: isComplete)))
        }
    }

    @Test func branchesHaveSlashes() throws {
        let call = ForgeCall.branch(Made.repository, name: "feature/x y")
        let answer = Made.answer(
            #"{"name":"feature/x y","commit":{"sha":"\#(Made.commit.hex)","id":"\#(Made.commit.hex)"}}"#)
        for (provider, path) in [
            (Made.github, "/repos/harbour/ship/branches/feature/x%20y"),
            (Made.gitlab, "/api/v4/projects/42/repository/branches/feature%2Fx%20y"),
            (Made.gitea, "/api/v1/repos/harbour/ship/branches/feature/x%20y"),
        ] as [(any ForgeProvider, String)] {
            let found = try provider.run(call, answer)
            #expect(found.asked == ["GET " + path])
            #expect(found.result == .commit(Made.commit))
            #expect(provider.problem(.branch(Made.repository, name: "main"), answer) == .foreign)
            for name in ["..", "a/../b", "a//b", ""] {
                #expect(provider.problem(.branch(Made.repository, name: name), answer) == .unusable("path"), "\(name)")
            }
        }
    }

    /// The rules have one of the two, and the forge is asked before anything is done.
    @Test func aDoubtedRepositoryIsAskedFor() throws {
        for provider in QuestionTests.providers {
            func answer(_ id: Int, _ path: String) -> ExchangeAnswer {
                Made.answer(#"{"id":\#(id),"full_name":"\#(path)","path_with_namespace":"\#(path)"}"#)
            }
            func take(_ answer: ExchangeAnswer) throws -> String? {
                var work = ForgeWork(.account, at: provider, doubting: Made.repository)
                _ = try work.begin()
                guard case .ask(let next) = try work.take(answer) else { return nil }
                return next.target.text
            }
            #expect(try take(answer(42, "harbour/ship"))?.hasSuffix("/user") == true)
            #expect(try take(answer(42, "Harbour/Ship"))?.hasSuffix("/user") == true)
            var unknown = ForgeWork(
                .branch(Repository(id: 0, path: "harbour/ship"), name: "main"), at: provider,
                doubting: Repository(id: 0, path: "harbour/ship"))
            #expect(try unknown.begin().target.text.contains("harbour"))
            guard case .ask(let next) = try unknown.take(answer(42, "harbour/ship")) else { return }
            #expect(next.target.text.contains("/42/") || next.target.text.contains("/harbour/ship/"))
            #expect(throws: ForgeProblem.foreign) { try take(answer(43, "harbour/ship")) }
            #expect(throws: ForgeProblem.foreign) { try take(answer(42, "harbour/other")) }
            #expect(throws: ForgeProblem.missing) { try take(Made.answer("{}", status: 404)) }
        }
    }

    /// Who we are is asked for, where nobody remembers it.
    @Test func aCommentIsOurs() throws {
        let call = ForgeCall.keepComment(
            Made.repository, RollingComment(change: 5, name: "plan", author: nil, body: "now"))
        let us = Made.answer(#"{"id":7,"login":"bulkhead","username":"bulkhead"}"#)
        let mine = CommentTests.comments((31, 7, "<!-- bulkhead:plan -->"))
        for provider in QuestionTests.providers {
            let asked = try provider.run(call, us, mine, CommentTests.written).asked
            #expect(asked[0].hasSuffix("/user") && asked[2].contains("31"))
        }
    }
}
