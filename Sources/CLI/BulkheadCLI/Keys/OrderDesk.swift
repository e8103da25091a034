// OrderDesk: seals what a person wants of brokerd and sends it there by way of the API, which can only carry it.

import Foundation
import Orders
import Wire

struct OrderDesk: Sendable {
    let client: APIClient
    let key: KeyFile

    /// Milliseconds since 1970, as orders say them.
    static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    static func order(_ body: OrderBody, at time: Int64 = now) -> Order {
        Order(id: .random(), issuedMs: time, body: body)
    }

    /// `value` is what the order brings. Throws what is wrong with the key or the value, in a person's words.
    func seal(_ body: OrderBody, value: [UInt8] = []) throws -> SealedOrder {
        do {
            return try OrderSealer.seal(Self.order(body), value: value, with: key)
        } catch {
            throw CommandFailure("cannot seal the order: \(error)", exit: .usage)
        }
    }

    /// An order that changes something. `conflict` says that brokerd has had a later one of this key, from another
    /// machine perhaps: it is sealed once more with the time of then. `repeatable`: doing it twice does no harm.
    func send(_ body: OrderBody, value: [UInt8] = [], repeatable: Bool) async throws {
        try await send(body, value: value) { try await post($0, repeatable: repeatable) }
    }

    /// The same, by a route of its own.
    func send(_ body: OrderBody, value: [UInt8], by post: (SealedOrder) async throws -> Void) async throws {
        do {
            try await post(try seal(body, value: value))
        } catch let failure as CommandFailure where failure.code == "conflict" {
            do {
                try await post(try seal(body, value: value))
            } catch let again as CommandFailure where again.code == "conflict" {
                throw CommandFailure(
                    "the broker has an order of this key with a later time: \(again.description); "
                        + "the clock of this machine is wrong, or was when that one was sent",
                    exit: .failure, code: again.code)
            }
        }
    }

    private func post(_ sealed: SealedOrder, repeatable: Bool) async throws {
        var request = try client.request("POST", "/orders")
        do {
            request.body = .bytes(try sealed.encoded())
        } catch {
            throw CommandFailure("the order does not fit the protocol: \(error)", exit: .usage)
        }
        request.headers["Content-Type"] = "application/octet-stream"
        _ = try await client.send(request, repeatable: repeatable)
    }
}
