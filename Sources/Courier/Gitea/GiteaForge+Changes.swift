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
