// GitHub's REST interface, as docs.github.com/rest describes it. Statuses and comments by any token, checks by apps.

package import Exchange
package import ForgeCalls
package import ForgeModel

package struct GitHubForge: PullForge, AppForge {
    package static let publicOrigin = Origin(.https, host: "api.github.com")
    package static let publicArchives = Origin(.https, host: "codeload.github.com")

    /// "A maximum of 3000 files"; nothing says that there were more.
    package let mostFiles = 3000
    /// "Up to 300 changed files", on the first page.
    package let mostCompared = 300
    package let descriptionLimit = 140
    /// An app has no role in a repository.
    package var permissionToAsk: Permission { installation == nil ? .write : .none }

    /// Of a fine-grained token; a classic one has all of it in `repo`.
    package func scope(for lack: ForgeLack) -> String? {
        if installation != nil { return appScope(for: lack) }
        return switch lack {
        case .token, .account, .branch: nil
        case .repository, .sources: "the permission Contents: read, for this repository (a classic token: repo)"
        case .statuses: "the permission Commit statuses: read and write (a classic token: repo)"
        case .comments: "the permission Pull requests: read and write (a classic token: repo)"
        case .permissions: "the permission Metadata: read, and an account with Write (a classic token: repo)"
        }
    }

    package let server: Server
    /// Where archives lie; an answer may lead there and nowhere else.
    let archives: Set<Origin>
    package internal(set) var installation: Installation?

    /// - Parameters:
    ///   - base: empty at github.com, `/api/v3` at a site of one's own.
    package init(origin: Origin, base: String = "", archives: Set<Origin>) {
        server = Server(
            origin: origin, base: base, credential: .bearer, accept: "application/vnd.github+json",
            headers: [HeaderField("X-GitHub-Api-Version", "2022-11-28")])
        self.archives = archives
    }

    package var origins: Set<Origin> { archives.union([server.origin]) }

    // MARK: accounts

    /// An app is nobody's account; the one in whose name it writes is.
    package func askAccount() throws(ForgeProblem) -> ExchangeRequest {
        let name = installation?.account
        return server.get(
            try server.target { (base) throws(RequestTarget.BadPiece) in
                if let name { return try base.and("/users").segment(name) }
                return base.and("/user")
            })
    }

    /// `maintain` is told as write, `triage` as read.
    package func readPermission(
        _ answer: ExchangeAnswer, of account: Account
    ) throws(ForgeProblem) -> Permission {
        if answer.status == 404 { return .none }
        let fields = try Fields(answer)
        // Names change hands; the number is who was meant.
        guard try fields.number("user.id") == account.id else { throw .foreign }
        switch try fields.word("permission") {
        case "admin": return .admin
        case "write": return .write
        case "read": return .read
        case "none": return .none
        default: throw .field("permission")
        }
    }
}
