// Webhooks: is a delivery genuine, and what does it say? Its body is read only after its signature was verified, and
// whoever sent it learns nothing from why it was refused.

import Daemon
import Deliveries
import Files
import ForgeModel
import GitHub
import GitLab
import Gitea
import Link
import Orders
import Posix
import Secret
import Signatures
import TrustModel
import TrustWire
import Vault
import Wire

extension Broker {
    /// Bytes that are hashed for one delivery at most: where it does not say for which project it is, every key of its
    /// forge is tried.
    private static let workLimit = 64 << 20

    func verify(
        _ request: BrokerEdge.VerifyDelivery, _ fds: consuming FDBundle,
        _ responder: Responder<BrokerEdge.VerifyDelivery.Reply>
    ) {
        let raws = fds.raws
        Self.answer(responder, BrokerEdge.VerifyDelivery.rule.name, refusals) { () throws(Failure) in
            guard let raw = raws.first else { throw Failure(.wrongFds, "no body", place: "body") }
            let body = try Self.body(raw)
            let headers = Headers(request.headers.map { (name: $0.name, value: $0.value) })
            return .init(delivery: try word(on: RawDelivery(headers: headers, body: body), request))
        }
        // They are open as long as this lives.
        _ = consume fds
    }

    private func word(on raw: RawDelivery, _ request: BrokerEdge.VerifyDelivery) throws(Failure) -> DeliveryWord {
        let candidates = candidates(request)
        guard candidates.count * raw.body.count <= Self.workLimit else {
            throw Self.refused(
                "too large to try the keys of \(candidates.count) projects; name the project in the address")
        }
        var reason: String?
        var read: Event?
        for (policy, key) in candidates {
            let value = try Failure.vault { () throws(VaultError) in try vault.store.value(of: key) }
            let delivery: Delivery
            do throws(Refusal) {
                delivery = try Self.verified(raw, policy.forge, value, at: now())
            } catch {
                reason = reason ?? "project '\(policy.project)': \(error)\(Self.mend(raw))"
                continue
            }
            // Whoever has a project's key speaks for that one alone; an app's is the key of all of its projects.
            let told = if let read { read } else { try Self.event(delivery, raw, policy) }
            read = told
            let event = Self.event(told, policy)
            if let repository = event.repository, !ProjectRules(policy).owns(repository) {
                reason =
                    request.project.isEmpty
                    ? "no project whose key this is has its repository: apply one, or end its webhook or installation"
                    : "it is of another repository than project '\(policy.project)'"
                continue
            }
            return try stated(
                DeliveryWord(
                    delivery: Hashes.sha256(raw.body), project: policy.project, revision: policy.revision, event: event,
                    generation: 0, issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
        }
        // The same work where no key was tried: a project without one, and one that is not there, are answered alike.
        if candidates.isEmpty {
            let key = try Failure.secret { () throws(SecretError) in
                unsafe try Secret(capacity: 32) { (room) throws(SecretError) in room.count }
            }
            _ = try? Self.verified(raw, request.forge, key, at: now())
        }
        throw Self.refused(reason ?? "there is no project with a key for it")
    }

    /// The projects that it may be for, each with its key.
    private func candidates(_ request: BrokerEdge.VerifyDelivery) -> [(Policy, StoredSecret)] {
        content.policies.compactMap { stored in
            let policy = stored.policy
            guard policy.forge == request.forge, request.project.isEmpty || policy.project == request.project else {
                return nil
            }
            return content.secret(policy.project, ForgeSecret.webhookKey.rawValue).map { (policy, $0) }
        }
    }

    /// A button is our app's own, or nobody's.
    private static func event(_ told: Event, _ policy: Policy) -> ForgeEvent {
        if case .button(let button) = told, !button.app.contains(where: { $0 == policy.app }) {
            return .idle(IdleEvent(what: "a button of another app"))
        }
        return ForgeEvent(told)
    }

    private static func event(_ delivery: Delivery, _ raw: RawDelivery, _ policy: Policy) throws(Failure) -> Event {
        do throws(Refusal) {
            // Of every one: a forge's first ping says already whether the others can be read.
            try delivery.headers.checkJSON()
            return try event(delivery, policy.forge)
        } catch .foreign {
            throw refused("it speaks of another repository than its own")
        } catch {
            let why = error == .encoding ? "is no plain JSON\(mend(raw))" : "cannot be read: \(error)"
            throw Failure(.invalid, "it is genuine for project '\(policy.project)', and \(why)", place: "body")
        }
    }

    private static func verified(
        _ raw: RawDelivery, _ forge: ForgeKind, _ key: borrowing Secret, at now: Int64
    ) throws(Refusal) -> Delivery {
        switch forge {
        case .github: try Signatures.github(raw, key: key)
        case .gitea, .forgejo: try Signatures.gitea(raw, key: key)
        case .gitlab:
            if unsafe key.withBytes({ unsafe $0.starts(with: "whsec_".utf8) }) {
                try Signatures.gitlab(raw, signingToken: key, now: now / 1000)
            } else {
                try Signatures.gitlab(raw, token: key)
            }
        }
    }

    private static func event(_ delivery: Delivery, _ forge: ForgeKind) throws(Refusal) -> Event {
        switch forge {
        case .github: try GitHubEvents.event(delivery)
        case .gitlab: try GitLabEvents.event(delivery)
        case .gitea, .forgejo: try GiteaEvents.event(delivery)
        }
    }

    private static func body(_ raw: Int32) throws(Failure) -> [UInt8] {
        try Failure.vault { () throws(VaultError) in
            try VaultError.posix { () throws(PosixError) in
                let size = Int(clamping: try Posix.fstat(raw).size)
                guard size <= RawDelivery.maxBytes else { return [] }
                var (body, count) = ([UInt8](repeating: 0, count: size), 0)
                // Read once: whatever its writer does to it later, what was verified is what is read.
                while count < size, case .bytes(let more) = try Posix.read(raw, into: &body, at: count) {
                    count += more
                }
                body.removeLast(size - count)
                return body
            }
        }
    }

    /// GitHub sends forms unless it is told otherwise; of a form, Gitea signs a part.
    private static func mend(_ raw: RawDelivery) -> String {
        (try? raw.headers.checkJSON()) == nil
            ? ": set the content type to application/json in the webhook's settings at the forge" : ""
    }

    /// One answer for all of them; the reason stands in our log.
    private static func refused(_ reason: String) -> Failure { Failure(.unauthorized, reason, place: "delivery") }
}
