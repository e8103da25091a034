// GitHub's pull requests, their comments and files.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GitHubForge {
    package static func side(_ path: String, _ fields: Fields) throws(ForgeProblem) -> ChangeState.Side {
        ChangeState.Side(
            repository: try fields.isThere("\(path).repo") ? try fields.number("\(path).repo.id") : nil,
            path: try fields.isThere("\(path).repo") ? try fields.word("\(path).repo.full_name") : nil,
            branch: try fields.word("\(path).ref"), commit: try fields.commit("\(path).sha"))
    }

    package func askFiles(
        _ repository: Repository, change: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/pulls").and(change).and("/files")
        }
        return server.get(target.query("per_page", "100").query("page", String(page)))
    }

    /// `ahead`: the one leads to the other. Otherwise what only `base` had is not in the list.
    package func readComparison(
        _ answer: ExchangeAnswer, from base: Commit
    ) throws(ForgeProblem) -> ChangedFiles {
        let fields = try Fields(answer)
        guard try fields.commit("base_commit.sha") == base else { throw .foreign }
        let files = try Self.files(try fields.list("files"))
        let status = try fields.word("status")
        return ChangedFiles(
            paths: files.flatMap { $0 },
            isComplete: files.count < mostCompared && ["ahead", "identical"].contains(status))
    }

    package func readBranch(_ answer: ExchangeAnswer, _ name: String) throws(ForgeProblem) -> Commit {
        let fields = try Fields(answer)
        guard try fields.word("name").utf8.elementsEqual(name.utf8) else { throw .foreign }
        return try fields.commit("commit.sha")
    }

    // MARK: comments

    package func askComments(
        _ repository: Repository, change: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/issues").and(change).and("/comments")
        }
        return server.get(target.query("per_page", "100").query("page", String(page)))
    }

    package func readComments(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<FoundComment> {
        var comments: [FoundComment] = []
        // The author is null when the account is gone; then it is not ours.
        for fields in try Fields.list(answer) where try fields.isThere("user") {
            comments.append(
                FoundComment(
                    id: try fields.number("id"), author: try fields.number("user.id"), body: try fields.text("body")))
        }
        return Page(comments, hasNext: answer.hasNextPage)
    }

    // MARK: sources

    package func askArchive(_ repository: Repository, _ commit: Commit) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/tarball/\(commit.hex)")
        }
        return server.download(target, redirects: archives)
    }
}
