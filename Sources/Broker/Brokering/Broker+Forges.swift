// What courierd needs to ask a forge, and brokerd's word on what it was told. courierd alone sees a forge's token, one
// project's at a time, in a file without a name.

package import Link
import Orders
import Posix
import Secret
import TrustModel
import TrustWire
import Vault
package import Wire

extension Broker {
    /// What courierd may ask.
    package var forgeHandlers: Handlers<ForgeEdge> {
        var handlers = Handlers<ForgeEdge>()
        let refusals = refusals
        lend(&handlers, ForgeEdge.ReadToken.self) { request throws(Failure) in
            let policy = try self.policy(request.project)
            if let rule = request.rule { try self.runnerRules(request.project, rule) }
            return (
                .init(
                    forge: policy.forge, url: policy.url, app: policy.app, repositoryId: policy.repositoryId,
                    repositoryPath: policy.repositoryPath), try self.token(of: policy)
            )
        }
        handlers.on(ForgeEdge.StatePermission.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StatePermission.rule.name, refusals) { () throws(Failure) in
                .init(word: try self.word(on: request))
            }
        }
        handlers.on(ForgeEdge.StateBase.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StateBase.rule.name, refusals) { () throws(Failure) in
                .init(
                    word: try self.stated(
                        BaseWord(
                            project: request.project, number: request.number, head: request.head,
                            branch: request.branch, commit: request.commit, generation: 0, issuedMs: 0,
                            mac: Bytes32(0, 0, 0, 0))))
            }
        }
        handlers.on(ForgeEdge.StateFile.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StateFile.rule.name, refusals) { () throws(Failure) in
                .init(word: try self.word(on: request))
            }
        }
        handlers.on(ForgeEdge.StateEvent.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StateEvent.rule.name, refusals) { () throws(Failure) in
                .init(delivery: try self.word(on: request))
            }
        }
        handlers.on(ForgeEdge.StateSource.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StateSource.rule.name, refusals) { () throws(Failure) in
                let (project, commit) = (request.project, request.commit)
                return .init(
                    word: try self.stated(
                        SourceWord(
                            project: project, commit: commit, source: request.source, generation: 0, issuedMs: 0,
                            mac: Bytes32(0, 0, 0, 0))))
            }
        }
        addGitLabHandlers(&handlers)
        return handlers
    }

    private func policy(_ project: String) throws(Failure) -> Policy {
        guard let policy = content.policy(project) else {
            throw Failure(.notFound, "there is no project '\(project)'", place: "project")
        }
        return policy
    }

    /// What is lent, in a file without a name.
    enum Loan {
        case value(StoredSecret)
        /// A statement of this app's, signed with its key, which is not lent.
        case statement(app: String, key: StoredSecret)
    }

    func lend<Call: WireCall>(
        _ handlers: inout Handlers<ForgeEdge>, _ call: Call.Type,
        _ body: @escaping (Call) throws(Failure) -> (Call.Reply, Loan)
    ) where Call.Edge == ForgeEdge {
        let refusals = refusals
        handlers.on(call) { request, _, responder in
            do throws(Failure) {
                let (reply, loan) = try body(request)
                let value = try self.value(of: loan)
                responder.reply(
                    reply, fd: try Failure.vault { () throws(VaultError) in try self.files.anonymous(value) })
            } catch {
                refusals.note(Call.rule.name, error)
                responder.fail(error)
            }
        }
    }

    private func value(of loan: Loan) throws(Failure) -> Secret {
        switch loan {
        case .value(let secret):
            return try Failure.vault { () throws(VaultError) in try vault.store.value(of: secret) }
        case .statement(let app, let secret):
            let key = try Failure.vault { () throws(VaultError) in try vault.store.value(of: secret) }
            return try AppJWT.signed(by: app, key, at: now() / 1000)
        }
    }

    private func token(of policy: Policy) throws(Failure) -> Loan {
        let name = (policy.app == nil ? ForgeSecret.token : .appKey).rawValue
        guard let secret = content.secret(policy.project, name) else {
            let from = policy.app == nil ? "" : " --from-file FILE.pem"
            throw Failure(.notFound, "set it: `bulkhead secret set \(policy.project) \(name)\(from)`", place: name)
        }
        return policy.app.map { .statement(app: $0, key: secret) } ?? .value(secret)
    }

    private func word(on request: ForgeEdge.StatePermission) throws(Failure) -> PermissionWord {
        try stated(
            PermissionWord(
                project: request.project, account: request.account, permission: request.permission, generation: 0,
                issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
    }

    private func word(on request: ForgeEdge.StateFile) throws(Failure) -> FileWord {
        try stated(
            FileWord(
                project: request.project, job: request.job, commit: request.commit, branch: request.branch,
                rule: request.rule, definition: request.definition, generation: 0, issuedMs: 0, mac: Bytes32(0, 0, 0, 0)
            ))
    }

    /// What polling has found. Its name is the event itself, whenever it is found: that is how it is known again.
    private func word(on request: ForgeEdge.StateEvent) throws(Failure) -> DeliveryWord {
        let policy = try policy(request.project)
        // An approval is what somebody has signed for; courierd asks nobody for his.
        guard request.event.event != nil, let repository = request.event.repository else {
            throw Failure(.invalid, "neither commits that arrived nor a change", place: "event")
        }
        guard ProjectRules(policy).owns(repository) else {
            throw Failure(.invalid, "of another repository than project '\(policy.project)'", place: "event")
        }
        // Who has pushed the forge does not tell: nobody, whose changes would not have to wait.
        var request = request
        if case .change(var change) = request.event {
            change.sender = ForgeAccount(id: 0, name: "")
            request.event = .change(change)
        }
        let event: [UInt8]
        do { event = try request.encoded() } catch { throw Failure(encoding: error, place: "event") }
        return try stated(
            DeliveryWord(
                delivery: Hashes.sha256(Array("bulkhead event 1".utf8) + event), project: policy.project,
                revision: policy.revision, event: request.event, generation: 0, issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
    }
}
