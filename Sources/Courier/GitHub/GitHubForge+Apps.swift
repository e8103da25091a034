// GitHub's apps: their tokens, and check runs.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GitHubForge {
    /// What docs/howto/github-app.md has an app be given, and no token of ours can do more.
    private static let permissions: [(String, JSONText)] = [
        ("checks", .text("write")), ("contents", .text("read")), ("metadata", .text("read")),
        ("pull_requests", .text("write")),
    ]

    package func asApp(_ installation: Installation) -> GitHubForge {
        var app = self
        app.installation = installation
        return app
    }

    func appScope(for lack: ForgeLack) -> String? {
        switch lack {
        case .token, .account, .branch, .repository: nil
        case .sources: "the app's permission Contents: read"
        case .statuses: "the app's permission Checks: read and write"
        case .comments: "the app's permission Pull requests: read and write"
        case .permissions: "the app's permission Metadata: read"
        }
    }

    // MARK: tokens

    package func askInstallation(_ repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        server.get(try target(repository) { (base) throws(RequestTarget.BadPiece) in base.and("/installation") })
    }

    package func readInstallation(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Installation {
        let fields = try Fields(answer)
        return Installation(
            id: try fields.number("id"), app: try fields.number("app_id"),
            account: try fields.word("app_slug") + "[bot]")
    }

    package func askInstallationToken(
        _ repository: Repository, _ installation: Installation
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try server.target { (base) throws(RequestTarget.BadPiece) in
            base.and("/app/installations").and(installation.id).and("/access_tokens")
        }
        guard repository.id != 0 else { throw .unusable("repository") }
        let one = ("repository_ids", JSONText.list([.number(repository.id)]))
        // Asked for twice, there are two tokens; the one is never used, and ends.
        return server.send(.post, target, .map([one, ("permissions", .map(Self.permissions))]), isRepeatable: true)
    }

    package func readInstallationToken(_ answer: ExchangeAnswer) throws(ForgeProblem) -> SecretText {
        let token = try Fields(answer).word("token")
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .field("token") }
        return SecretText(token)
    }

    // MARK: checks

    package func askChecks(_ repository: Repository, _ check: CheckRun) throws(ForgeProblem) -> ExchangeRequest {
        guard let installation else { throw .unsupported }
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/commits/\(check.commit.hex)/check-runs")
        }
        return server.get(
            target.query("check_name", check.name).query("app_id", String(installation.app)).query("filter", "all")
                .query("per_page", "100"))
    }

    package func readChecks(_ answer: ExchangeAnswer) throws(ForgeProblem) -> [FoundCheck] {
        var checks: [FoundCheck] = []
        for fields in try Fields(answer).list("check_runs") {
            let hasEnded = try fields.word("status") == "completed"
            checks.append(
                FoundCheck(
                    id: try fields.number("id"), app: try fields.number("app.id"),
                    externalID: try fields.isThere("external_id") ? try fields.text("external_id") : "",
                    conclusion: hasEnded ? try fields.word("conclusion") : nil))
        }
        return checks
    }

    /// A check run that is not made, for want of its commit.
    package func tryPosting(at commit: Commit, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        if installation == nil { return try tryStatus(at: commit, in: repository) }
        let nothing = CheckRun(
            commit: commit, name: "bulkhead", externalID: "-", state: .pending, title: "-", summary: "")
        return try write(nothing, over: nil, in: repository)
    }

    package func write(
        _ check: CheckRun, over id: UInt64?, in repository: Repository
    ) throws(ForgeProblem) -> ExchangeRequest {
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
        let body = JSONText.map([
            ("name", .text(try Wording.name(check.name, 255, "name"))),
            ("head_sha", id == nil ? .text(check.commit.hex) : nil),
            ("details_url", try Wording.link(check.link, 2048).map(JSONText.text)),
            ("external_id", .text(try Wording.name(check.externalID, 255, "external id"))),
            ("status", .text(Self.status(check))), ("conclusion", conclusion(of: check).map(JSONText.text)),
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
            return if let id { runs.and(id) } else { runs }
        }
        return server.send(id == nil ? .post : .patch, target, body)
    }

    private static func status(_ check: CheckRun) -> String {
        if check.needsApproval { return "completed" }
        return switch check.state {
        case .pending: "queued"
        case .running: "in_progress"
        case .success, .failure, .error, .cancelled, .timedOut, .skipped: "completed"
        }
    }

    package func conclusion(of check: CheckRun) -> String? {
        if check.needsApproval { return "action_required" }
        return switch check.state {
        case .pending, .running: nil
        case .success: "success"
        case .failure, .error: "failure"
        case .cancelled: "cancelled"
        case .timedOut: "timed_out"
        case .skipped: "skipped"
        }
    }
}
