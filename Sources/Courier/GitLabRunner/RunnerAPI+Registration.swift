// A runner at GitLab: made, known again, given another token, and gone.

package import Exchange
package import ForgeCalls

/// What a new runner is to be.
package struct RunnerSettings: Equatable, Sendable {
    /// Whose jobs it takes.
    package enum Scope: Equatable, Sendable {
        case instance
        case group(UInt64)
        case project(UInt64)
    }

    package var scope: Scope
    package var description: String
    package var tags: [String]
    /// Jobs without a tag, too.
    package var runUntagged: Bool
    package var locked = false
    /// Jobs of protected branches and tags only.
    package var protectedOnly = false
    /// Seconds; at least 600, says GitLab.
    package var maximumTimeout: UInt64?
    package var maintenanceNote: String?

    package init(scope: Scope, description: String, tags: [String], runUntagged: Bool) {
        self.scope = scope
        self.description = description
        self.tags = tags
        self.runUntagged = runUntagged
    }

    fileprivate var fields: [(String, JSONText?)] {
        [
            ("description", .text(Wording.short(description, 1024))), ("tag_list", .list(tags.map(JSONText.text))),
            ("run_untagged", .flag(runUntagged)), ("locked", .flag(locked)),
            ("access_level", .text(protectedOnly ? "ref_protected" : "not_protected")),
            ("maximum_timeout", maximumTimeout.map(JSONText.number)),
            ("maintenance_note", maintenanceNote.map { .text(Wording.short($0, 1024)) }),
        ]
    }
}

/// What GitLab says of a runner: its number, and the token that it will not say again.
package struct RegisteredRunner: Equatable, Sendable {
    package let id: UInt64
    package let token: SecretText
    /// Seconds since 1970; nil: it does not end.
    package let expires: UInt64?
}

/// A new token of a runner.
package struct RotatedToken: Equatable, Sendable {
    package let token: SecretText
    package let expires: UInt64?
}

extension RunnerAPI {
    /// Makes a runner. Lost is its token, and so the runner, if this answer is lost: nobody says it twice.
    package func create(_ settings: RunnerSettings) -> RunnerRequest {
        let scope: [(String, JSONText?)] =
            switch settings.scope {
            case .instance: [("runner_type", .text("instance_type"))]
            case .group(let id): [("runner_type", .text("group_type")), ("group_id", .number(id))]
            case .project(let id): [("runner_type", .text("project_type")), ("project_id", .number(id))]
            }
        return plain(
            .post, target.and("/user/runners"), .person, body: JSONText.map(scope + settings.fields).bytes)
    }

    /// The same by the token with which anybody could register. GitLab has it off; whoever needs it configures it.
    package func register(_ settings: RunnerSettings) -> RunnerRequest {
        withToken(.post, target.and("/runners"), .registration, [("info", info.json)] + settings.fields)
    }

    /// Whether the token is a runner's.
    package func verify() -> RunnerRequest {
        withToken(
            .post, target.and("/runners/verify"), .runner, [("system_id", .text(systemID.text)), ("info", info.json)],
            isRepeatable: true)
    }

    /// Another token, and the old one is dead at once.
    package func rotate() -> RunnerRequest {
        withToken(.post, target.and("/runners/reset_authentication_token"), .runner)
    }

    /// Removes the runner itself.
    package func unregister() -> RunnerRequest { withToken(.delete, target.and("/runners"), .runner) }

    /// Removes this instance from those that use the runner.
    package func unregisterManager() -> RunnerRequest {
        withToken(.delete, target.and("/runners/managers"), .runner, [("system_id", .text(systemID.text))])
    }

    /// Removes a runner whose token is lost; for somebody who may manage it.
    package func delete(_ runner: UInt64) -> RunnerRequest {
        plain(
            .delete, target.and("/runners").and(runner), .person, headers: [HeaderField("Accept", "application/json")])
    }

    // MARK: answers

    package static func readRegistered(_ answer: ExchangeAnswer) throws(ForgeProblem) -> RegisteredRunner {
        try ForgeProblem.check(answer)
        let fields = try Fields(answer)
        return RegisteredRunner(
            id: try fields.number("id"), token: try token(fields), expires: try expiry(fields))
    }

    package static func readRotated(_ answer: ExchangeAnswer) throws(ForgeProblem) -> RotatedToken {
        try ForgeProblem.check(answer)
        let fields = try Fields(answer)
        return RotatedToken(token: try token(fields), expires: try expiry(fields))
    }

    /// What goes into a header, and is nothing else.
    private static func token(_ fields: Fields) throws(ForgeProblem) -> SecretText {
        let token = try fields.word("token")
        guard token.utf8.count <= 512, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .field("token")
        }
        return SecretText(token)
    }

    private static func expiry(_ fields: Fields) throws(ForgeProblem) -> UInt64? {
        guard try fields.isThere("token_expires_at") else { return nil }
        guard let seconds = ISODate.seconds(try fields.word("token_expires_at")) else {
            throw .field("token_expires_at")
        }
        return seconds
    }
}
