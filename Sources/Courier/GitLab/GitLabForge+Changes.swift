// GitLab's merge requests, their notes and files.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GitLabForge {
    package func askChange(_ repository: Repository, _ number: UInt64) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in base.and("/merge_requests").and(number) })
    }

    package static func change(_ fields: Fields, of repository: Repository) throws(ForgeProblem) -> ChangeState {
        guard try fields.number("target_project_id") == repository.id else { throw .foreign }
        let head = try fields.commit("sha")
        let hasSource = try fields.isThere("source_project_id")
        return ChangeState(
            number: try fields.number("iid"), state: try Self.state(fields), isDraft: try fields.flag("draft"),
            author: try fields.account("author", named: "username"),
            head: ChangeState.Side(
                repository: hasSource ? try fields.number("source_project_id") : nil,
                branch: try fields.word("source_branch"), commit: head),
            base: ChangeState.Side(
                repository: repository.id, branch: try fields.word("target_branch"),
                commit: try Self.base(fields, of: head)))
    }

    /// Where the target branch was when GitLab last compared. It compares in the background: until it has come to this
    /// head, it speaks of an earlier one.
    private static func base(_ fields: Fields, of head: Commit) throws(ForgeProblem) -> Commit? {
        guard try fields.isThere("diff_refs.head_sha"), try fields.commit("diff_refs.head_sha") == head else {
            return nil
        }
        return try fields.commit("diff_refs.start_sha")
    }

    private static func state(_ fields: Fields) throws(ForgeProblem) -> ChangeState.State {
        switch try fields.word("state") {
        // Locked while it is being merged.
        case "opened", "locked": return .open
        case "closed": return .closed
        case "merged": return .merged
        default: throw .field("state")
        }
    }

    /// Each file comes with its difference, so there are few on a page.
    package func askFiles(
        _ repository: Repository, change: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/merge_requests").and(change).and("/diffs")
        }
        return server.get(target.query("per_page", "30").query("page", String(page)))
    }

    package func readFiles(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<[String]> {
        Page(try Self.files(try Fields.list(answer)), hasNext: answer.hasNextPage)
    }

    static func files(_ list: [Fields]) throws(ForgeProblem) -> [[String]] {
        var files: [[String]] = []
        for fields in list {
            let (new, old) = (try fields.path("new_path"), try fields.path("old_path"))
            files.append(new.utf8.elementsEqual(old.utf8) ? [new] : [new, old])
        }
        return files
    }

    // MARK: comments

    package func askComments(
        _ repository: Repository, change: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/merge_requests").and(change).and("/notes")
        }
        // The oldest first: what others write meanwhile moves nothing.
        return server.get(
            target.query("sort", "asc").query("order_by", "created_at").query("per_page", "100")
                .query("page", String(page)))
    }

    package func readComments(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<FoundComment> {
        var comments: [FoundComment] = []
        for fields in try Fields.list(answer) where try !fields.flag("system") {
            comments.append(
                FoundComment(
                    id: try fields.number("id"), author: try fields.number("author.id"), body: try fields.text("body")))
        }
        return Page(comments, hasNext: answer.hasNextPage)
    }

    package func write(
        _ comment: RollingComment, over id: UInt64?, in repository: Repository
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            let notes = base.and("/merge_requests").and(comment.change).and("/notes")
            return if let id { notes.and(id) } else { notes }
        }
        return server.send(id == nil ? .post : .put, target, .map([("body", .text(comment.text))]))
    }
}
