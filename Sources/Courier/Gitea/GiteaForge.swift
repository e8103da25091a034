// Gitea's and Forgejo's REST interface, as their own description at /api/swagger has it: much like GitHub's, and not
// the same.

package import Exchange
package import ForgeCalls
package import ForgeModel

package struct GiteaForge: ForgeProvider {
    /// None is documented; a change that is larger is looked at as a whole.
    package let mostFiles = 3000

    let server: Server

    /// - Parameter base: `/api/v1`, with a site's folder in front of it.
    package init(origin: Origin, base: String = "/api/v1") {
        server = Server(
            origin: origin, base: base, credential: Credential(header: "Authorization", prefix: "token "))
    }

    /// `/repos/OWNER/NAME`, and what `rest` adds.
    func target(
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

    /// Administrators of a repository may ask for others; everybody may ask for themselves.
    package func askPermission(_ repository: Repository, _ account: Account) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                try base.and("/collaborators").segment(account.name).and("/permission")
            })
    }

    package func readPermission(
        _ answer: ExchangeAnswer, of account: Account
    ) throws(ForgeProblem) -> Permission {
        if answer.status == 404 { return .none }
        let fields = try Fields(answer)
        // Names change hands; the number is who was meant.
        guard try fields.account("user", named: "login").id == account.id, account.id != 0 else { throw .foreign }
        switch try fields.word("permission") {
        case "owner", "admin": return .admin
        case "write": return .write
        case "read": return .read
        case "none": return .none
        default: throw .field("permission")
        }
    }

    // MARK: statuses

    package func post(_ status: CommitStatus, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        let body = JSONText.map([
            ("state", .text(Self.word(status.state))),
            ("context", .text(try Wording.name(status.context, 255, "context"))),
            ("description", .text(Wording.short(status.description, 255))),
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
        // What does not apply must not hold a merge up, and older versions have no word for it.
        case .success, .skipped: "success"
        case .failure, .timedOut: "failure"
        case .error, .cancelled: "error"
        }
    }

    package func post(_ check: CheckRun, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        throw .unsupported
    }
}
