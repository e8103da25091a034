// PullForge: the interface that GitHub made and that Gitea and Forgejo took over: repositories under `/repos`, changes
// as pulls with two sides, comments as those of issues. What differs is the provider's.

package import Exchange
package import ForgeModel

package protocol PullForge: ForgeProvider {
    var server: Server { get }
    /// Characters of a status that are shown.
    var descriptionLimit: Int { get }
    /// One end of a pull, at `path` of the answer.
    static func side(_ path: String, _ fields: Fields) throws(ForgeProblem) -> ChangeState.Side
}

extension PullForge {
    /// `/repos/OWNER/NAME`, and what `rest` adds.
    package func target(
        _ repository: Repository, _ rest: (RequestTarget) throws(RequestTarget.BadPiece) -> RequestTarget
    ) throws(ForgeProblem) -> RequestTarget {
        guard repository.path.utf8.count(where: { $0 == UInt8(ascii: "/") }) == 1 else { throw .unusable("repository") }
        return try server.target { (base) throws(RequestTarget.BadPiece) in
            try rest(try base.and("/repos").path(repository.path))
        }
    }

    // MARK: accounts

    package func askAccount() throws(ForgeProblem) -> ExchangeRequest {
        server.get(try server.target { (base) throws(RequestTarget.BadPiece) in base.and("/user") })
    }

    package func readAccount(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Account {
        try Fields(answer).account("", named: "login")
    }

    /// At Gitea administrators of a repository may ask for others; everybody may ask for themselves.
    package func askPermission(_ repository: Repository, _ account: Account) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                try base.and("/collaborators").segment(account.name).and("/permission")
            })
    }

    package func askRepository(_ repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        server.get(try target(repository) { (base) throws(RequestTarget.BadPiece) in base })
    }

    package func readRepository(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Repository {
        let fields = try Fields(answer)
        return Repository(id: try fields.number("id"), path: try fields.word("full_name"))
    }

    // MARK: statuses

    package func post(_ status: CommitStatus, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        let body = JSONText.map([
            ("state", .text(Self.word(status.state))),
            ("context", .text(try Wording.name(status.context, 255, "context"))),
            ("description", .text(Wording.short(status.description, descriptionLimit))),
            ("target_url", try Wording.link(status.link, 2048).map(JSONText.text)),
        ])
        return server.send(
            .post,
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                base.and("/statuses/\(status.commit.hex)")
            }, body)
    }

    private static func word(_ state: PostedState) -> String {
        switch state {
        case .pending, .running: "pending"
        // What does not apply must not hold a merge up; GitHub and older versions of Gitea have no word for it.
        case .success, .skipped: "success"
        case .failure, .timedOut: "failure"
        case .error, .cancelled: "error"
        }
    }

    // MARK: changes

    package func askChange(_ repository: Repository, _ number: UInt64) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in base.and("/pulls").and(number) })
    }

    package static func change(_ fields: Fields, of repository: Repository) throws(ForgeProblem) -> ChangeState {
        let base = try side("base", fields)
        // A repository that was renamed, and whose name somebody else has now, is another one.
        guard base.repository == repository.id else { throw .foreign }
        return ChangeState(
            number: try fields.number("number"), state: try state(fields), isDraft: try fields.flag("draft"),
            author: try fields.account("user", named: "login"), head: try side("head", fields), base: base)
    }

    private static func state(_ fields: Fields) throws(ForgeProblem) -> ChangeState.State {
        switch try fields.word("state") {
        case "open": return .open
        case "closed":
            // Lists have the time alone.
            let isMerged = try fields.isThere("merged") ? try fields.flag("merged") : try fields.isThere("merged_at")
            return isMerged ? .merged : .closed
        default: throw .field("state")
        }
    }

    package func readFiles(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<[String]> {
        Page(try Self.files(try Fields.list(answer)), hasNext: answer.hasNextPage)
    }

    /// Of one that was renamed, both names.
    package static func files(_ list: [Fields]) throws(ForgeProblem) -> [[String]] {
        var files: [[String]] = []
        for fields in list {
            let isRenamed = try fields.isThere("previous_filename")
            files.append([try fields.path("filename")] + (isRenamed ? [try fields.path("previous_filename")] : []))
        }
        return files
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

    // MARK: comparisons and branches

    package func askComparison(
        _ repository: Repository, _ base: Commit, _ head: Commit
    ) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (path) throws(RequestTarget.BadPiece) in
                path.and("/compare/\(base.hex)...\(head.hex)")
            })
    }

    package func askBranch(_ repository: Repository, _ name: String) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in try base.and("/branches").path(name) })
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
}
