// Gitea's pull requests, their comments and files.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GiteaForge {
    package static func side(_ path: String, _ fields: Fields) throws(ForgeProblem) -> ChangeState.Side {
        // A branch that is gone has no commit; only a head can be gone.
        let isGone = try fields.text("\(path).sha").isEmpty && path == "head"
        return ChangeState.Side(
            repository: try fields.isThere("\(path).repo") ? try fields.number("\(path).repo.id") : nil,
            path: try fields.isThere("\(path).repo") ? try fields.word("\(path).repo.full_name") : nil,
            branch: try fields.word("\(path).ref"), commit: isGone ? nil : try fields.commit("\(path).sha"))
    }

    package func askFiles(
        _ repository: Repository, change: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/pulls").and(change).and("/files")
        }
        return server.get(target.query("limit", "50").query("page", String(page)))
    }

    /// The commits that `head` has and `base` has not, each with its files. `base` is behind them only if one of them
    /// follows it; otherwise what only `base` had is in no list.
    package func readComparison(
        _ answer: ExchangeAnswer, from base: Commit
    ) throws(ForgeProblem) -> ChangedFiles {
        let fields = try Fields(answer)
        var (paths, follows): (Set<[UInt8]>, Bool) = ([], false)
        let commits = try fields.list("commits")
        for commit in commits {
            for file in try commit.list("files") { paths.insert(Array(try file.path("filename").utf8)) }
            for parent in try commit.list("parents") where try parent.commit("sha") == base { follows = true }
        }
        let isWhole = UInt64(commits.count) == (try fields.number("total_commits"))
        return ChangedFiles(
            paths: paths.map { String(decoding: $0, as: UTF8.self) }.sorted(),
            isComplete: follows && isWhole && paths.count < mostCompared)
    }

    package func readBranch(_ answer: ExchangeAnswer, _ name: String) throws(ForgeProblem) -> Commit {
        let fields = try Fields(answer)
        guard try fields.word("name").utf8.elementsEqual(name.utf8) else { throw .foreign }
        return try fields.commit("commit.id")
    }

    // MARK: comments

    package func askComments(
        _ repository: Repository, change: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/issues").and(change).and("/comments")
        }
        // Always whole: there are no pages here.
        return server.get(target)
    }

    package func readComments(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<FoundComment> {
        var comments: [FoundComment] = []
        // The author is null when the account is gone; then it is not ours.
        for fields in try Fields.list(answer) where try fields.isThere("user") {
            comments.append(
                FoundComment(
                    id: try fields.number("id"), author: try fields.account("user", named: "login").id,
                    body: try fields.text("body")))
        }
        return Page(comments, hasNext: false)
    }

    // MARK: sources

    package func askArchive(_ repository: Repository, _ commit: Commit) throws(ForgeProblem) -> ExchangeRequest {
        server.download(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                base.and("/archive/\(commit.hex).tar.gz")
            })
    }
}
