// Orders: opened here, checked here, and carried out in one commit each. A bearer token alone, which apid and
// schedulerd see, changes nothing.

import Daemon
import Link
import Orders
import Secret
import TrustWire
import Vault
import Wire

extension Broker {
    /// Opens an order that `person` sealed within the last minutes.
    func open(_ sealed: SealedOrder, by person: Person) throws(Failure) -> GivenOrder {
        // The token says who asks, the key who ordered: one person, or somebody holds half of what he needs.
        guard sealed.key == person.user.info.key else {
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
        guard given.order.issuedMs > person.user.mark else {
            throw Failure(.conflict, "an order of this time or later was carried out already", place: "order.issued_ms")
        }
        switch given.order.body {
        case .setSecret(let order): try set(order, given, person)
        case .removeSecret(let order): try remove(order, given, person)
        case .rotate(let order): try rotate(order, given, person)
        case .setProject(let order): try set(order, given, person)
        case .removeProject(let order): try remove(order, given, person)
        case .setUser(let order): try set(order, given, person)
        case .removeUser(let order): try remove(order, given, person)
        case .setRole(let order): try set(order, given, person)
        case .setToken(let order): try set(order, given, person)
        case .removeToken(let order): try remove(order, given, person)
        case .submit: throw Failure(.orderRefused, "this order wants a job, and is sent with it", place: "order")
        case .approve: throw Failure(.orderRefused, "this order approves a change, and is sent so", place: "order")
        }
        return .init()
    }

    private func set(
        _ order: SetSecretOrder, _ given: borrowing GivenOrder, _ person: Person
    ) throws(Failure) {
        try person.check(.setSecrets, in: order.project)
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
        _ order: RemoveSecretOrder, _ given: borrowing GivenOrder, _ person: Person
    ) throws(Failure) {
        try person.check(.setSecrets, in: order.project)
        try Self.expectNothing(given)
        var next = content
        guard next.remove(order.project, order.name) else {
            throw Failure(.notFound, "project '\(order.project)' has no secret '\(order.name)'", place: "name")
        }
        try recordChange(.secretRemoved, person, order.project, order.name)
        try commit(&next, person, at: given.order.issuedMs)
    }

    static func expectNothing(_ given: borrowing GivenOrder) throws(Failure) {
        guard given.value.count == 0 else { throw Failure(.orderRefused, "it brings something", place: "value") }
    }

    /// Before the commit: a change that is on record and did not happen costs a mask at worst.
    private func recordChange(
        _ event: AuditEvent, _ person: Person, _ project: String, _ name: String
    ) throws(Failure) {
        try record(event, [("by", person.name), ("project", project), ("secret", name)])
        vault.memory.note(changed: project, name, record: vault.audit.head.sequence)
    }

    /// Everything anew under the next master key. The rename in `commit` is where one house ends and the next begins:
    /// everybody's tokens, tickets, job tokens, runners' keys and this person's old key are dead behind it. The grants
    /// go before: no crash leaves one that lives.
    private func rotate(
        _ order: RotateOrder, _ given: borrowing GivenOrder, _ person: Person
    ) throws(Failure) {
        try person.check(.rotate)
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
        let isOld = content.tokens.contains { $0.hash == order.tokenHash }
        guard !isOld, order.key != person.user.info.key else {
            throw Failure(.invalid, "a rotation brings a new token and a new key", place: "order")
        }
        var next = try Failure.vault { () throws(VaultError) in try vault.store.rekeyed(for: keys) }
        for index in next.users.indices where next.users[index].info.name == person.name {
            next.users[index].info.key = order.key
        }
        next.tokens = [SetTokenOrder(token: person.token, hash: order.tokenHash)]
        try record(.rotated, [("by", person.name), ("generation", "\(next.generation)")])
        _ = try discardAll(but: [])
        try commit(&next, person, at: given.order.issuedMs, keys)
        vault.memory.forgetUses()
        recordedTokens = []
        log.info("master key rotated", ["generation": "\(next.generation)"])
    }

    func commit(
        _ next: inout StoreContent, _ person: Person, at mark: Int64, _ keys: BrokerKeys? = nil
    ) throws(Failure) {
        next.auditHead = vault.audit.head
        next.revision += 1
        for index in next.users.indices where next.users[index].info.name == person.name {
            next.users[index].mark = mark
        }
        let content = next
        try Failure.vault { () throws(VaultError) in try vault.store.commit(content, keys ?? vault.store.keys) }
    }
}
