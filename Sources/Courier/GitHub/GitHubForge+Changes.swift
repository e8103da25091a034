// GitHub's pull requests, their comments and files.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GitHubForge {
    package func askChange(_ repository: Repository, _ number: UInt64) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in base.and("/pulls").and(number) })
    }

    package func readChange(
        _ answer: ExchangeAnswer, _ number: UInt64, of repository: Repository
    ) throws(ForgeProblem) -> ChangeState {
        let fields = try Fields(answer)
        let base = try Self.side("base", fields)
        // A repository that was renamed, and whose name somebody else has now, is another one.
        guard try fields.number("number") == number, base.repository == repository.id else { throw .foreign }
        return ChangeState(
            number: number, state: try Self.state(fields), isDraft: try fields.flag("draft"),
            author: try fields.account("user", named: "login"), head: try Self.side("head", fields), base: base)
    }

    private static func state(_ fields: Fields) throws(ForgeProblem) -> ChangeState.State {
        switch try fields.word("state") {
        case "open": return .open
        case "closed": return try fields.flag("merged") ? .merged : .closed
        default: throw .field("state")
        }
    }

    private static func side(_ path: String, _ fields: Fields) throws(ForgeProblem) -> ChangeState.Side {
        ChangeState.Side(
            repository: try fields.isThere("\(path).repo") ? try fields.number("\(path).repo.id") : nil,
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

    package func readFiles(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<[String]> {
        var files: [[String]] = []
        for fields in try Fields.list(answer) {
            let isRenamed = try fields.isThere("previous_filename")
            files.append([try fields.path("filename")] + (isRenamed ? [try fields.path("previous_filename")] : []))
        }
        return Page(files, hasNext: answer.hasNextPage)
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

    package func write(
        _ comment: RollingComment, over id: UInt64?, in repository: Repository
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            if let id { return base.and("/issues/comments").and(id) }
            return base.and("/issues").and(comment.change).and("/comments")
        }
        return server.send(id == nil ? .post : .patch, target, .map([("body", .text(comment.text))]))
    }

    // MARK: sources

    package func askFile(
        _ repository: Repository, _ path: String, _ commit: Commit
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            try base.and("/contents").path(path)
        }
        return server.get(target.query("ref", commit.hex))
    }

    package func readFile(_ answer: ExchangeAnswer, _ commit: Commit) throws(ForgeProblem) -> [UInt8] {
        try FileContent.read(answer)
    }

    package func askArchive(_ repository: Repository, _ commit: Commit) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/tarball/\(commit.hex)")
        }
        return server.download(target, redirect: archives)
    }
}
