// GitHub's REST interface, as docs.github.com/rest describes it. Statuses and comments by any token, checks by apps.

package import Exchange
package import ForgeCalls
package import ForgeModel

package struct GitHubForge: PullForge {
    package static let publicOrigin = Origin(.https, host: "api.github.com")
    package static let publicArchives = Origin(.https, host: "codeload.github.com")

    /// "A maximum of 3000 files"; nothing says that there were more.
    package let mostFiles = 3000
    /// "Up to 300 changed files", on the first page.
    package let mostCompared = 300
    package let descriptionLimit = 140
    package let permissionToAsk = Permission.write

    /// Of a fine-grained token; a classic one has all of it in `repo`.
    package func scope(for lack: ForgeLack) -> String? {
        switch lack {
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

    // MARK: checks

    package func post(_ check: CheckRun, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        guard check.buttons.count <= 3 else { throw .unusable("buttons") }
        var actions: [JSONText] = []
        for button in check.buttons {
            actions.append(
                .map([
                    ("label", .text(try Wording.name(button.label, 20, "label"))),
                    ("description", .text(try Wording.name(button.description, 40, "description"))),
                    ("identifier", .text(try Wording.name(button.identifier, 20, "identifier"))),
                ]))
        }
        let (status, conclusion) = Self.words(check)
        let body = JSONText.map([
            ("name", .text(try Wording.name(check.name, 255, "name"))),
            ("head_sha", check.id == nil ? .text(check.commit.hex) : nil),
            ("details_url", try Wording.link(check.link, 2048).map(JSONText.text)),
            ("external_id", .text(try Wording.name(check.externalID, 255, "external id"))),
            ("status", .text(status)), ("conclusion", conclusion.map(JSONText.text)),
            (
                "output",
                .map([
                    ("title", .text(try Wording.name(Wording.short(check.title, 255), 255, "title"))),
                    ("summary", .text(Wording.long(check.summary, 65_535))),
                ])
            ),
            ("actions", actions.isEmpty ? nil : .list(actions)),
        ])
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            let runs = base.and("/check-runs")
            return if let id = check.id { runs.and(id) } else { runs }
        }
        return server.send(check.id == nil ? .post : .patch, target, body)
    }

    private static func words(_ check: CheckRun) -> (status: String, conclusion: String?) {
        if check.needsApproval { return ("completed", "action_required") }
        return switch check.state {
        case .pending: ("queued", nil)
        case .running: ("in_progress", nil)
        case .success: ("completed", "success")
        case .failure, .error: ("completed", "failure")
        case .cancelled: ("completed", "cancelled")
        case .timedOut: ("completed", "timed_out")
        case .skipped: ("completed", "skipped")
        }
    }
}
