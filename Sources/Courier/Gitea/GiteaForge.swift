// Gitea's and Forgejo's REST interface, as their own description at /api/swagger has it: much like GitHub's, and not
// the same.

package import Exchange
package import ForgeCalls
package import ForgeModel

package struct GiteaForge: PullForge {
    /// None is documented; a change that is larger is looked at as a whole.
    package let mostFiles = 3000
    package let mostCompared = 3000
    package let descriptionLimit = 255
    package let permissionToAsk = Permission.admin

    package func scope(for lack: ForgeLack) -> String? {
        switch lack {
        case .token, .branch: nil
        case .account: "the scope user: read"
        case .repository, .sources, .statuses: "the scope repository: read and write, and an account with Write"
        case .comments: "the scope issue: read and write"
        case .permissions: "the scope repository: read and write, and an account with Administrator"
        }
    }

    package let server: Server

    /// - Parameter base: `/api/v1`, with a site's folder in front of it.
    package init(origin: Origin, base: String = "/api/v1") {
        server = Server(
            origin: origin, base: base, credential: Credential(header: "Authorization", prefix: "token "))
    }

    package var origins: Set<Origin> { [server.origin] }

    // MARK: accounts

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
}
