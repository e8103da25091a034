// What a runner gets, when, and when it is gone again. schedulerd decides for which job a runner works; whether that job may have the
// secrets was decided when its ticket was made.

import Crypto
import FoundationEssentials
import Link
import Orders
import Posix
import Secret
import Vault
import Wire

extension Broker {
    func prepare(_ request: BrokerEdge.Prepare) throws(Failure) -> BrokerEdge.Prepare.Reply {
        let grant = Bytes16.random()
        let key = runnerKey(grant, request.runner)
        do throws(VaultError) {
            let bytes = try VaultError.secret { () throws(SecretError) in try Secret(key) }
            try files.make(grant, key: bytes)
        } catch {
            _ = try? files.discard(grant)  // best effort: Reconcile finds what stays
            throw Failure(error)
        }
        prepared[grant] = request.runner
        return .init(grant: grant)
    }

    func wipe(_ request: BrokerEdge.Wipe) throws(Failure) -> BrokerEdge.Wipe.Reply {
        guard try onFiles({ () throws(PosixError) in try files.wipe(request.grant) }) else {
            throw Failure(.grantGone, "there is no such grant", place: "grant")
        }
        return .init()
    }

    func discard(_ request: BrokerEdge.Discard) throws(Failure) -> BrokerEdge.Discard.Reply {
        try discard(request.grant)
        return .init()
    }

    func reconcile(_ request: BrokerEdge.Reconcile) throws(Failure) -> BrokerEdge.Reconcile.Reply {
        .init(discarded: UInt32(clamping: try discardAll(but: Set(request.live))))
    }

    /// How many there were.
    func discardAll(but kept: Set<Bytes16>) throws(Failure) -> Int {
        let gone = try onFiles { () throws(PosixError) in try files.all() }.filter { !kept.contains($0) }
        for grant in gone { try discard(grant) }
        // What lived without a directory does not live.
        for grant in live.values where !kept.contains(grant.grant) { try discard(grant.grant) }
        return gone.count
    }

    /// The token and the masks die first: if the files resist, at least those are gone, and the caller hears of it.
    private func discard(_ grant: Bytes16) throws(Failure) {
        for attempt in live.values.filter({ $0.grant == grant }).map(\.attempt) {
            live[attempt] = nil
            endMasks(of: attempt)
        }
        prepared[grant] = nil
        vault.used.forget(grant: grant)
        _ = try onFiles { () throws(PosixError) in try files.discard(grant) }
    }

    func grant(_ request: BrokerEdge.Grant) throws(Failure) -> BrokerEdge.Grant.Reply {
        let again = try admit(request)
        let live = try liveGrant(request)
        let sealed = try body(of: live, request)
        points(.beforeAudit)
        try record(again ? .grantAgain : .grant, Self.fields(of: request))
        points(.afterAudit)
        vault.used.note(ticket: request.ticket.order, grant: request.grant, attempt: request.attempt, at: now())
        if !request.taken {
            try Failure.vault { () throws(VaultError) in try files.put(request.grant, sealed) }
        }
        self.live[request.attempt] = live
        sendMasks(of: live)
        return .init()
    }

    /// Whether this may be granted; true: it was before. Refusals for cause are recorded.
    private func admit(_ request: BrokerEdge.Grant) throws(Failure) -> Bool {
        do throws(Failure) {
            try tickets.check(request.ticket, at: now())
            try checkReplay(request)
        } catch {
            try record(.grantDenied, [("code", error.errorCode.name)] + Self.fields(of: request))
            throw error
        }
        guard try onFiles({ () throws(PosixError) in try files.exists(request.grant) }) else {
            throw Failure(.grantGone, "there is no such grant", place: "grant")
        }
        return vault.used.attempt(of: request.grant) == request.attempt
    }

    /// A ticket is for one job, a grant for one attempt on one runner, an attempt for one grant.
    private func checkReplay(_ request: BrokerEdge.Grant) throws(Failure) {
        if let job = vault.used.job(of: request.ticket.order), job != request.attempt.job {
            throw Failure(.conflict, "the ticket was used for job \(job)", place: "ticket")
        }
        let attempt = vault.used.attempt(of: request.grant)
        if let attempt, attempt != request.attempt {
            throw Failure(.conflict, "the grant is another attempt's", place: "grant")
        }
        if request.taken && attempt == nil { throw Failure(.conflict, "nothing was granted here", place: "taken") }
        if let runner = prepared[request.grant], runner != request.runner {
            throw Failure(.conflict, "the grant was prepared for another runner", place: "runner")
        }
        if let other = live[request.attempt], other.grant != request.grant {
            throw Failure(.conflict, "the attempt has another grant", place: "attempt")
        }
    }

    private func liveGrant(_ request: BrokerEdge.Grant) throws(Failure) -> LiveGrant {
        var secrets: [StoredSecret] = []
        for name in request.ticket.secrets {
            guard let stored = content.secret(request.ticket.project, name) else {
                throw Failure(
                    .notFound, "project \(request.ticket.project) has no secret \(name) any more", place: "secrets")
            }
            secrets.append(stored)
        }
        return LiveGrant(
            grant: request.grant, attempt: request.attempt, project: request.ticket.project, secrets: secrets)
    }

    /// The GrantBody, sealed to the runner's key: nonce, ciphertext, tag.
    private func body(of live: LiveGrant, _ request: BrokerEdge.Grant) throws(Failure) -> [UInt8] {
        let (store, tokens) = (vault.store, jobTokens)
        return try Failure.vault { () throws(VaultError) in
            var room = 512
            for secret in live.secrets { room += secret.name.utf8.count + secret.sealed.count }
            let capacity = room
            let token = try VaultError.secret { () throws(SecretError) in try tokens.token(of: live.attempt) }
            var plain = try VaultError.secret { () throws(SecretError) in try Secret(capacity: capacity) }
            do throws(SecretError) {
                try plain.append(live.attempt.job)
                try plain.append(live.attempt.attempt)
                try plain.append(live.attempt.epoch)
                try plain.append(request.ticket.definition.array)
                try plain.append(token)
                try plain.append(UInt16(live.secrets.count))
            } catch { throw .secret(error) }
            for secret in live.secrets {
                let value = try store.value(of: secret)
                do throws(SecretError) {
                    try plain.append(text: secret.name)
                    try plain.append(value)
                } catch { throw .secret(error) }
            }
            return try plain.sealed(
                runnerKey(request.grant, request.runner),
                authenticating: Array("bulkhead grant 1".utf8) + request.runner.array)
        }
    }

    /// The key of a runner: made anew whenever it is needed, so that it is kept nowhere but in the runner.
    private func runnerKey(_ grant: Bytes16, _ runner: Bytes16) -> SymmetricKey {
        let info = Array("bulkhead runner 1".utf8) + grant.array + runner.array + Array("\(content.generation)".utf8)
        return HKDF<SHA256>.deriveKey(inputKeyMaterial: vault.store.keys.runners, info: info, outputByteCount: 32)
    }

    private func onFiles<R>(_ body: () throws(PosixError) -> R) throws(Failure) -> R {
        try Failure.vault { () throws(VaultError) in try VaultError.posix(body) }
    }

    private static func fields(of request: BrokerEdge.Grant) -> [(String, String)] {
        let ticket = request.ticket
        return [
            ("ticket", ticket.order.hex), ("grant", request.grant.hex), ("runner", request.runner.hex),
            ("subject", ticket.subject), ("project", ticket.project), ("trust", "\(ticket.trust)"),
            ("definition", ticket.definition.hex), ("secrets", ticket.secrets.joined(separator: ",")),
        ] + fields(request.attempt)
    }
}
