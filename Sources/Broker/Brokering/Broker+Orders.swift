// Orders: opened here, checked here, and carried out in one commit each. A bearer token alone, which apid and
// schedulerd see, changes nothing.

import Daemon
import Link
import Orders
import Secret
import Vault
import Wire

extension Broker {
    /// Opens an order that `person` sealed within the last minutes.
    func open(_ sealed: SealedOrder, by person: StoredOperator) throws(Failure) -> GivenOrder {
        // The token says who asks, the key who ordered: one person, or somebody holds half of what he needs.
        guard sealed.key == person.key else {
            throw Failure(.orderRefused, "sealed by another key", place: "order.key")
        }
        var opened: OpenedOrder
        do {
            opened = try OrderOpener.open(sealed, with: vault.store.keys)
        } catch {
            throw Failure(.orderRefused, "\(error)", place: "order")
        }
        let value = try Failure.secret { () throws(SecretError) in try Secret(emptying: &opened.value) }
        let time = now()
        guard (time - Self.skewMs...time + Self.skewMs).contains(opened.order.issuedMs) else {
            throw Failure(.orderRefused, "its time is not within 10 minutes of the broker's", place: "order.issued_ms")
        }
        return GivenOrder(order: opened.order, value: value)
    }

    func execute(_ request: BrokerEdge.Execute) throws(Failure) -> BrokerEdge.Execute.Reply {
        let person = try person(request.token)
        let given = try open(request.order, by: person)
        // Strictly later than the last: what was on the way once cannot be sent again.
        guard given.order.issuedMs > person.mark else {
            throw Failure(.conflict, "an order of this time or later was carried out already", place: "order.issued_ms")
        }
        switch given.order.body {
        case .setSecret(let order): try set(order, given, person)
        case .removeSecret(let order): try remove(order, given, person)
        case .rotate(let order): try rotate(order, given, person)
        case .setProject(let order): try set(order, given, person)
        case .removeProject(let order): try remove(order, given, person)
        case .submit: throw Failure(.orderRefused, "this order wants a job, and is sent with it", place: "order")
        case .approve: throw Failure(.orderRefused, "this order approves a change, and is sent so", place: "order")
        }
        return .init()
    }

    private func set(
        _ order: SetSecretOrder, _ given: borrowing GivenOrder, _ person: StoredOperator
    ) throws(Failure) {
        guard Names.isProject(order.project) else { throw Failure(.invalid, "not a project's name", place: "project") }
        guard Names.isSecret(order.name) else { throw Failure(.invalid, "not a secret's name", place: "name") }
        guard (1...OrderSealer.valueLimit).contains(given.value.count) else {
            throw Failure(.invalid, "a secret has 1 to \(OrderSealer.valueLimit) bytes", place: "value")
        }
        var next = content
        // A closure cannot borrow what is borrowed here: the typed error is turned by hand.
        do throws(VaultError) {
            try next.put(
                try vault.store.sealed(given.value, order.project, order.name, by: person.name, at: now()))
        } catch { throw Failure(error) }
        try recordChange(.secretSet, person, order.project, order.name)
        try commit(&next, person, at: given.order.issuedMs)
    }

    private func remove(
        _ order: RemoveSecretOrder, _ given: borrowing GivenOrder, _ person: StoredOperator
    ) throws(Failure) {
        guard given.value.count == 0 else { throw Failure(.orderRefused, "it brings something", place: "value") }
        var next = content
        guard next.remove(order.project, order.name) else {
            throw Failure(.notFound, "project '\(order.project)' has no secret '\(order.name)'", place: "name")
        }
        try recordChange(.secretRemoved, person, order.project, order.name)
        try commit(&next, person, at: given.order.issuedMs)
    }

    /// Before the commit: a change that is on record and did not happen costs a mask at worst.
    private func recordChange(
        _ event: AuditEvent, _ person: StoredOperator, _ project: String, _ name: String
    ) throws(Failure) {
        try record(event, [("by", person.name), ("project", project), ("secret", name)])
        vault.memory.note(changed: project, name, record: vault.audit.head.sequence)
    }

    /// Everything anew under the next master key. The rename in `commit` is where one house ends and the next begins:
    /// tokens, tickets, job tokens, runners' keys and the old operator's key are dead behind it. The grants go before:
    /// no crash leaves one that lives.
    private func rotate(
        _ order: RotateOrder, _ given: borrowing GivenOrder, _ person: StoredOperator
    ) throws(Failure) {
        let keys: BrokerKeys
        do {
            keys = try unsafe given.value.withBytes { (bytes) throws(OrderError) in try unsafe BrokerKeys(master: bytes)
            }
        } catch {
            throw Failure(.invalid, "\(error)", place: "value")
        }
        guard keys.publicKey != vault.store.keys.publicKey else {
            throw Failure(.invalid, "this is the master key already", place: "value")
        }
        guard order.tokenHash != person.tokenHash, order.key != person.key else {
            throw Failure(.invalid, "a rotation brings a new token and a new key", place: "order")
        }
        var next = try Failure.vault { () throws(VaultError) in try vault.store.rekeyed(for: keys) }
        guard let index = next.operators.firstIndex(where: { $0.key == person.key }) else {
            throw Failure(.internal, "\(person.name) is not among the operators")
        }
        try record(.rotated, [("by", person.name), ("generation", "\(next.generation)")])
        _ = try discardAll(but: [])
        (next.operators[index].tokenHash, next.operators[index].key) = (order.tokenHash, order.key)
        try commit(&next, next.operators[index], at: given.order.issuedMs, keys)
        vault.memory.forgetUses()
        recordedTokens = []
        log.info("master key rotated", ["generation": "\(next.generation)"])
    }

    func commit(
        _ next: inout StoreContent, _ person: StoredOperator, at mark: Int64, _ keys: BrokerKeys? = nil
    ) throws(Failure) {
        next.auditHead = vault.audit.head
        for index in next.operators.indices where next.operators[index].key == person.key {
            next.operators[index].mark = mark
        }
        let content = next
        try Failure.vault { () throws(VaultError) in try vault.store.commit(content, keys ?? vault.store.keys) }
    }
}
