// GitLab's REST interface, as docs.gitlab.com/api describes it. Projects are named by their number, which never changes
// hands.

package import Exchange
package import ForgeCalls
package import ForgeModel

package struct GitLabForge: ForgeProvider {
    /// Above it GitLab stops comparing, and says so in a place of its own.
    package let mostFiles = 1000
    package let mostCompared = 1000

    package let permissionToAsk = Permission.read

    /// No smaller scope than `api` writes.
    package func scope(for lack: ForgeLack) -> String? {
        switch lack {
        case .token, .branch: nil
        case .account, .repository, .sources, .comments, .permissions: "the scope api, and the role Developer"
        case .statuses: "the scope api, and the role Developer (Maintainer, if only these may push to the branch)"
        }
    }

    let server: Server

    /// - Parameter base: `/api/v4`, with a site's folder in front of it.
    package init(origin: Origin, base: String = "/api/v4") {
        server = Server(origin: origin, base: base, credential: Credential(header: "PRIVATE-TOKEN"))
    }

    /// `/projects/NUMBER`, and what `rest` adds.
    func target(
        _ repository: Repository, _ rest: (RequestTarget) throws(RequestTarget.BadPiece) -> RequestTarget
    ) throws(ForgeProblem) -> RequestTarget {
        try server.target { (base) throws(RequestTarget.BadPiece) in
            let projects = base.and("/projects")
            // Its path, while nobody knows the number.
            return try rest(repository.id == 0 ? try projects.segment(repository.path) : projects.and(repository.id))
        }
    }

    package var origins: Set<Origin> { [server.origin] }

    package func askRepository(_ repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        server.get(try target(repository) { (base) throws(RequestTarget.BadPiece) in base })
    }

    package func readRepository(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Repository {
        let fields = try Fields(answer)
        return Repository(id: try fields.number("id"), path: try fields.word("path_with_namespace"))
    }

    // MARK: accounts

    package func askAccount() throws(ForgeProblem) -> ExchangeRequest {
        server.get(try server.target { (base) throws(RequestTarget.BadPiece) in base.and("/user") })
    }

    package func readAccount(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Account {
        try Fields(answer).account("", named: "username")
    }

    /// Of members of the groups above, too.
    package func askPermission(_ repository: Repository, _ account: Account) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                base.and("/members/all").and(account.id)
            })
    }

    package func readPermission(
        _ answer: ExchangeAnswer, of account: Account
    ) throws(ForgeProblem) -> Permission {
        if answer.status == 404 { return .none }
        let fields = try Fields(answer)
        guard try fields.number("id") == account.id else { throw .foreign }
        // A blocked account is still a member, and so is one that was asked and has not answered.
        let membership = try fields.isThere("membership_state") ? try fields.word("membership_state") : "active"
        guard try fields.word("state") == "active", membership == "active" else { return .none }
        return switch try fields.number("access_level") {
        case 0..<10: .none
        // Guest, planner, reporter.
        case 10..<30: .read
        // Developer.
        case 30..<40: .write
        // Maintainer, owner, administrator.
        default: .admin
        }
    }

    // MARK: statuses

    package func post(_ status: CommitStatus, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        let reference: String? =
            switch status.reference {
            case .branch(let name)?, .tag(let name)?: name
            case nil: nil
            }
        let body = JSONText.map([
            ("state", .text(Self.word(status.state))), ("ref", reference.map(JSONText.text)),
            ("name", .text(try Wording.name(status.context, 255, "context"))),
            ("description", .text(Wording.short(status.description, 255))),
            ("target_url", try Wording.link(status.link, 255).map(JSONText.text)),
        ])
        return server.send(
            .post,
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                base.and("/statuses/\(status.commit.hex)")
            }, body)
    }

    /// A status has no way from a state to itself: that it is there already is a refusal, and as good.
    package func checkPosted(_ answer: ExchangeAnswer, _ status: CommitStatus) throws(ForgeProblem) {
        if answer.status == 400, let message = try? Fields(answer).text("message"),
            message.hasPrefix("Cannot transition status via :")
        {
            guard message.split(separator: " (")[0].hasSuffix(" from :\(Self.word(status.state))") else {
                throw .conflict
            }
            return
        }
        try ForgeProblem.check(answer)
    }

    private static func word(_ state: PostedState) -> String {
        switch state {
        case .pending: "pending"
        case .running: "running"
        case .success: "success"
        case .failure, .error, .timedOut: "failed"
        case .cancelled: "canceled"
        case .skipped: "skipped"
        }
    }
}
