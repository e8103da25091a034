// Somebody with a token and a key, as the CLI has them.

import Orders
import Posix
import Synchronization
import Wire

/// Seals orders with ever later times.
final class Person {
    let name: String
    let token: String
    let key: KeyFile
    private static let last = Mutex<Int64>(0)

    init(name: String = "admin", broker: Bytes32) {
        self.name = name
        token = "bh_" + Bytes32.random().hex
        key = .generate(name: name, broker: broker)
    }

    var bootstrap: Bootstrap { Bootstrap(name: name, tokenHash: Hashes.token(token), key: key.publicKey) }

    /// The same person, with another token.
    init(sharing other: Person) {
        name = other.name
        token = "bh_" + Bytes32.random().hex
        key = other.key
    }

    /// What brokerd says of an admin of the house.
    var word: BrokerEdge.Caller { .operator(.init(name: name, everywhere: .admin, projects: [])) }

    /// Milliseconds; later than every time before.
    func time() -> Int64 {
        Self.last.withLock { last in
            last = max(last + 1, Posix.wallMilliseconds())
            return last
        }
    }

    func seal(_ body: OrderBody, value: [UInt8] = [], at time: Int64? = nil) throws -> SealedOrder {
        let order = Order(id: .random(), issuedMs: time ?? self.time(), body: body)
        return try OrderSealer.seal(order, value: value, with: key)
    }

    func set(_ name: String, _ value: [UInt8], project: String = "default") throws -> SealedOrder {
        try seal(.setSecret(.init(project: project, name: name)), value: value)
    }
}

/// A job as far as the broker sees one.
struct Wish {
    var project = "default"
    var requestID = "request-1"
    var trust = Trust.trusted
    var commit = "c0ffee"
    var definition = Bytes32.random()
    var secrets: [String] = []

    var order: OrderBody {
        .submit(
            SubmitOrder(
                project: project, requestId: requestID, trust: trust, commit: commit, definition: definition,
                secrets: secrets))
    }

    func vouch(_ person: Person, order: SealedOrder?) -> BrokerEdge.Vouch {
        BrokerEdge.Vouch(
            token: person.token, order: order, requestId: requestID, project: project, definition: definition,
            secrets: secrets)
    }
}
