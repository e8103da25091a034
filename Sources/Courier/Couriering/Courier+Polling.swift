// Polling: for forges without webhooks.

import Link
import Wire

extension Courier {
    func poll(_ request: CourierEdge.Poll, _ responder: Responder<CourierEdge.Poll.Reply>) {
        fail(responder, request.place, Failure(.notReady, "not yet", place: "poll"))
    }
}
