// Orders: what the holder of a key has sealed for brokerd. apid can read none of it, and nothing it could change would
// still be opened; all it checks is the form.

import FoundationEssentials
import HTTPTypes
import Hummingbird
import Wire

enum OrderRoutes {
    /// One encoded order, with the largest value that it can bring.
    static let limit = 16 * 1024
    static let header = "Bulkhead-Order"

    static func all(_ scheduler: SchedulerBridge) -> [Route] {
        [
            Route(
                method: .post, path: "/orders", scope: .token, operation: "sendOrder",
                summary: "Send a sealed order: it changes secrets, users, roles or tokens, or the master key.",
                body: .bytes(mediaType: "application/octet-stream", limit: limit),
                successes: [(200, "It has been carried out, durably.", "OrderDone")]
            ) { request in
                let order = try read(try await request.bytes(limit: limit), place: "body")
                _ = try await scheduler.call(SchedulerEdge.SendOrder(token: request.token, order: order))
                return try .json(OrderDoneAnswer(done: true))
            }
        ]
    }

    /// The order that came with a job, in base64; nil if none did.
    static func ofJob(_ request: APIRequest) throws(APIFailure) -> SealedOrder? {
        guard let text = HTTPField.Name(header).flatMap({ request.request.headers[$0] }) else { return nil }
        return try order(text, place: header)
    }

    static func order(_ text: String, place: String) throws(APIFailure) -> SealedOrder {
        guard let data = Data(base64Encoded: text) else { throw APIFailure(.invalid, "is not base64", place: place) }
        return try read(Array(data), place: place)
    }

    static func read(_ bytes: [UInt8], place: String) throws(APIFailure) -> SealedOrder {
        do {
            return try SealedOrder.decoded(bytes)
        } catch {
            throw APIFailure(.invalid, "is not a sealed order: \(error)", place: place)
        }
    }
}
