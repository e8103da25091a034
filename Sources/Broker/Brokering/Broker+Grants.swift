// What a runner gets, when, and when it is gone again. schedulerd decides for which job a runner works; whether that
// job may have the secrets was decided when its ticket was made.

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
        let gone = try discardAll(but: Set(request.live))
        // The directories may have gone with their tmpfs; what runs is good for its job all the same.
        vault.memory.keep(grants: Set(request.live))
        isReconciled = true
        return .init(discarded: UInt32(clamping: gone))
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
        vault.memory.forget(grant: grant)
        _ = try onFiles { () throws(PosixError) in try files.discard(grant) }
    }

    func grant(_ request: BrokerEdge.Grant) throws(Failure) -> BrokerEdge.Grant.Reply {
        let again = try admit(request)
        let live = try liveGrant(request)
        // What was taken is not written again.
        let sealed = request.taken ? nil : try body(of: live, request)
        points(.beforeAudit)
        try record(again ? .grantAgain : .grant, Self.fields(of: request))
        points(.afterAudit)
        vault.memory.note(
            ticket: request.ticket.order, grant: request.grant, attempt: request.attempt, again: again, at: now(),
            record: vault.audit.head.sequence)
        if let sealed {
            try Failure.vault { () throws(VaultError) in try files.put(request.grant, sealed) }
        }
        self.live[request.attempt] = live
        recordedTokens.remove(request.attempt)
        sendMasks(of: live)
        return .init()
    }

    /// Whether this may be granted; true: it was before. Refusals for cause are recorded.
    private func admit(_ request: BrokerEdge.Grant) throws(Failure) -> Bool {
        do throws(Failure) {
            try check(request.ticket, place: "ticket")
            // Whoever mints: no way of code leads from an untrusted job to a secret.
            let brings = request.ticket.ownValues
            if request.ticket.trust == .untrusted && !request.ticket.secrets.isEmpty && !brings {
                throw Failure(.ticketRefused, "an untrusted job has no secrets", place: "ticket")
            }
            try checkReplay(request)
        } catch {
            try record(.grantDenied, [("code", error.errorCode.name)] + Self.fields(of: request))
            throw error
        }
        // What was taken needs no directory any more: it may have gone with its tmpfs.
        let isThere = try onFiles { () throws(PosixError) in try files.exists(request.grant) }
        guard isThere || request.taken else {
            throw Failure(.grantGone, "there is no such grant", place: "grant")
        }
        return vault.memory.attempt(of: request.grant) == request.attempt
    }

    /// A ticket is for one job, a grant for one attempt on one runner, an attempt for one grant.
    private func checkReplay(_ request: BrokerEdge.Grant) throws(Failure) {
        if let job = vault.memory.job(of: request.ticket.order), job != request.attempt.job {
            throw Failure(.conflict, "the ticket was used for job \(job)", place: "ticket")
        }
        let attempt = vault.memory.attempt(of: request.grant)
        if attempt == nil, vault.memory.grants(of: request.ticket.order) >= Ticket.grantsAtMost {
            throw Failure(.ticketRefused, "it was used \(Ticket.grantsAtMost) times", place: "ticket")
        }
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
        let (project, names) = (request.ticket.project, request.ticket.secrets)
        let before = live[request.attempt]
        if request.taken, let before { return before }
        let own = try ownValues(request)
        let found = own ?? names.compactMap { content.secret(project, $0) }
        let isAsGranted =
            own != nil || names.allSatisfy { vault.memory.isUnchanged(project, $0, since: request.grant) }
        if !request.taken, found.count < names.count {
            let gone = names.first { name in !found.contains { $0.name == name } } ?? ""
            throw Failure(.notFound, "project \(project) has no secret \(gone) any more", place: "secrets")
        }
        // Granted again by a process that has not seen the first time: the runner may hold what has been replaced
        // since.
        let isKnown = before != nil || isAsGranted || vault.memory.attempt(of: request.grant) == nil
        let older = (before?.masked ?? []).filter { !found.contains($0) }
        return LiveGrant(
            grant: request.grant, attempt: request.attempt, project: project, secrets: found,
            masked: isKnown ? found + older : nil)
    }

    /// The GrantBody, sealed to the runner's key: nonce, ciphertext, tag.
    private func body(of live: LiveGrant, _ request: BrokerEdge.Grant) throws(Failure) -> [UInt8] {
        let (store, tokens) = (vault.store, jobTokens)
        return try Failure.vault { () throws(VaultError) in
            var room = 512
            for secret in live.secrets { room += secret.name.utf8.count + secret.sealed.count }
            let capacity = room
            let seal = try VaultError.secret { () throws(SecretError) in
                try Secret(sealKey(of: request.ticket.order, in: request.ticket.project))
            }
            let token = try VaultError.secret { () throws(SecretError) in try tokens.token(of: live.attempt) }
            var plain = try VaultError.secret { () throws(SecretError) in try Secret(capacity: capacity) }
            do throws(SecretError) {
                try plain.append(live.attempt.job)
                try plain.append(live.attempt.attempt)
                try plain.append(live.attempt.epoch)
                try plain.append(request.ticket.definition.array)
                try plain.append(token)
                try unsafe seal.withBytes { (bytes) throws(SecretError) in try unsafe plain.append(bytes) }
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
                authenticating: GrantFormat.associatedData(request.runner))
        }
    }

    /// The key of a runner: made anew whenever it is needed, so that it is kept nowhere but in the runner.
    private func runnerKey(_ grant: Bytes16, _ runner: Bytes16) -> SymmetricKey {
        let info = Array("bulkhead runner 1".utf8) + grant.array + runner.array + Array("\(content.generation)".utf8)
        return HKDF<SHA256>.deriveKey(inputKeyMaterial: vault.store.keys.runners, info: info, outputByteCount: 32)
    }

    /// Under which the runner of this ticket's job says what it has left. relayd, which carries that, never has it.
    func sealKey(of order: Bytes16, in project: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: vault.store.keys.tickets,
            info: Array("bulkhead artifacts 1".utf8) + order.array + Array(project.utf8), outputByteCount: 32)
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
