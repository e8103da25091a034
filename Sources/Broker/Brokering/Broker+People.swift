// Who asks, and what brokerd vouches for: tokens, tickets, and the list of secrets. Nothing here releases or changes
// anything.

import Link
import Orders
import Secret
import TrustModel
import TrustWire
import Vault
import Wire

extension Broker {
    private static let pageSize = 128

    /// Whoever has this API token, with what it may do at this moment.
    func person(_ token: String) throws(Failure) -> Person {
        // Hashes are compared, and a hash cannot be guessed byte by byte: plain equality tells nothing.
        let hash = Hashes.token(token)
        guard let found = content.tokens.first(where: { $0.hash == hash })?.token else {
            throw Failure(.unauthorized, "nobody's token", place: "token")
        }
        guard let user = content.user(found.user) else {
            throw Failure(.unauthorized, "the token's user was removed", place: "user")
        }
        guard found.expiresMs == 0 || now() < found.expiresMs else {
            throw Failure(.unauthorized, "the token has expired", place: "expiry")
        }
        return Person(user: user, token: found)
    }

    func verifyToken(_ request: BrokerEdge.VerifyToken) throws(Failure) -> BrokerEdge.VerifyToken.Reply {
        guard request.token.hasPrefix(JobTokens.prefix) else {
            let person = try person(request.token)
            return .init(
                caller: .operator(
                    .init(
                        name: person.name, everywhere: person.rights.everywhere, projects: person.rights.projects)))
        }
        guard let attempt = jobTokens.attempt(of: request.token) else {
            throw Failure(.unauthorized, "nobody's token", place: "token")
        }
        if let grant = live[attempt] { return .init(caller: .job(.init(attempt: attempt, project: grant.project))) }
        guard isReconciled else {
            throw Failure(.notReady, "the broker has just started, and does not know yet which jobs run")
        }
        if recordedTokens.insert(attempt).inserted {
            try record(.tokenDenied, Self.fields(attempt))
        }
        throw Failure(.unauthorized, "the token of a job that has ended", place: "token")
    }

    func listSecrets(_ request: BrokerEdge.ListSecrets) throws(Failure) -> BrokerEdge.ListSecrets.Reply {
        try person(request.token).check(.seeProject, in: request.project)
        let after = Array(request.after.utf8)
        let found = content.secrets.filter {
            $0.project == request.project && after.lexicographicallyPrecedes($0.name.utf8)
        }
        let page = found.prefix(Self.pageSize).map {
            BrokerEdge.SecretInfo(name: $0.name, setMs: $0.setMs, setBy: $0.setBy)
        }
        return .init(secrets: page, more: found.count > page.count)
    }

    func vouch(_ request: BrokerEdge.Vouch) throws(Failure) -> BrokerEdge.Vouch.Reply {
        let person = try person(request.token)
        try person.check(.submit, in: request.project)
        var ticket = Ticket(
            order: .random(), subject: person.name, project: request.project, trust: .untrusted, commit: "",
            definition: request.definition, secrets: request.secrets, ownValues: false, generation: 0,
            issuedMs: 0, mac: Bytes32(0, 0, 0, 0))
        if let sealed = request.order {
            let given = try open(sealed, by: person)
            guard case .submit(let submit) = given.order.body, given.value.count == 0 else {
                throw Failure(.orderRefused, "not an order to run a job", place: "order")
            }
            try Self.compare(submit, with: request)
            (ticket.trust, ticket.commit) = (submit.trust, submit.commit)
            ticket.order = try Self.name(of: given.order.id, by: person)
        }
        if ticket.trust == .untrusted && !ticket.secrets.isEmpty {
            throw Failure(.invalid, "secrets are given to a job by an order that trusts it", place: "secrets")
        }
        for name in ticket.secrets where ForgeSecret(rawValue: name) != nil {
            throw Failure(.invalid, "'\(name)' is for the forge, and in no job", place: "secrets")
        }
        for name in ticket.secrets where content.secret(ticket.project, name) == nil {
            throw Failure(
                .notFound,
                "project '\(ticket.project)' has no secret '\(name)'; set it (`bulkhead secret set \(ticket.project) "
                    + "\(name)`), or mend the project or the name in the job", place: "secrets")
        }
        return .init(ticket: try stated(ticket))
    }

    /// Whoever seals an order chooses its number: it is no other person's name for a job, nor one of ours.
    private static func name(of order: Bytes16, by person: Person) throws(Failure) -> Bytes16 {
        let said = Array("bulkhead submitted order 1\0\(person.name)\0".utf8) + order.array
        guard let name = Bytes16(bytes: Array(Hashes.sha256(said).array.prefix(16))) else {
            throw Failure(.internal, "no name")
        }
        return name
    }

    /// Field by field: what apid or schedulerd says must be what was sealed.
    private static func compare(_ order: SubmitOrder, with request: BrokerEdge.Vouch) throws(Failure) {
        let pairs = [
            ("project", order.project == request.project), ("request_id", order.requestId == request.requestId),
            ("definition", order.definition == request.definition), ("secrets", order.secrets == request.secrets),
        ]
        for (field, isEqual) in pairs where !isEqual {
            throw Failure(.orderRefused, "the order says something else", place: field)
        }
    }

    /// Writes an audit record and waits until it is on disk.
    func record(_ event: AuditEvent, _ fields: [(String, String)]) throws(Failure) {
        try Failure.vault { () throws(VaultError) in try vault.audit.append(event, fields, at: now()) }
    }

    static func fields(_ attempt: Attempt) -> [(String, String)] {
        [("job", "\(attempt.job)"), ("attempt", "\(attempt.attempt)"), ("epoch", "\(attempt.epoch)")]
    }
}
