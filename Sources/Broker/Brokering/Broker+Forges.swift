// What courierd needs to ask a forge, and brokerd's word on what it was told. courierd alone sees a forge's token, one
// project's at a time, in a file without a name.

package import Link
import Posix
import Secret
import TrustModel
import Vault
package import Wire

extension Broker {
    /// What courierd may ask.
    package var forgeHandlers: Handlers<ForgeEdge> {
        var handlers = Handlers<ForgeEdge>()
        let refusals = refusals
        handlers.on(ForgeEdge.ReadToken.self) { request, _, responder in
            do throws(Failure) {
                let file = try self.token(of: request.project)
                responder.reply(.init(), fd: file)
            } catch {
                refusals.note(ForgeEdge.ReadToken.rule.name, error)
                responder.fail(error)
            }
        }
        handlers.on(ForgeEdge.StatePermission.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StatePermission.rule.name, refusals) { () throws(Failure) in
                .init(word: try self.word(on: request))
            }
        }
        handlers.on(ForgeEdge.StateFile.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.StateFile.rule.name, refusals) { () throws(Failure) in
                .init(word: try self.word(on: request))
            }
        }
        return handlers
    }

    private func token(of project: String) throws(Failure) -> FileDescriptor {
        guard content.policy(project) != nil, let secret = content.secret(project, ForgeSecret.token.rawValue) else {
            let name = ForgeSecret.token.rawValue
            throw Failure(.notFound, "set it: `bulkhead secret set \(project) \(name)`", place: name)
        }
        return try Failure.vault { () throws(VaultError) in
            try files.anonymous(try vault.store.value(of: secret))
        }
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
                project: request.project, job: request.job, commit: request.commit, definition: request.definition,
                generation: 0, issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
    }
}
