// Polling, for forges that tell nobody: what is new since the last time, each with brokerd's word on it. courierd keeps
// no cursor: who asks brings the one that the last answer gave.

import ForgeCalls
import ForgeModel
import Link
import TrustWire
import Wire

extension Courier {
    func poll(_ request: CourierEdge.Poll, _ responder: Responder<CourierEdge.Poll.Reply>) {
        let since = request.cursor.isEmpty ? nil : NewsCursor(request.cursor)
        guard request.cursor.isEmpty || since != nil else {
            return fail(responder, request.place, Failure(.invalid, "not a cursor of courierd's", place: "cursor"))
        }
        visit(request.place, responder) { (repository) throws(Failure) in
            .news(repository, since: since)
        } then: { [self] result in
            guard case .news(let news) = result else { return unexpected(responder, request.place) }
            state(news, [], request.place, responder)
        }
    }

    /// One word after the other. If one is not had, none is given: the same are found again.
    private func state(
        _ news: News, _ words: [DeliveryWord], _ place: CourierEdge.ForgePlace,
        _ responder: Responder<CourierEdge.Poll.Reply>
    ) {
        guard words.count < news.events.count else {
            return responder.reply(.init(cursor: news.cursor.bytes, events: words, more: news.hasMore))
        }
        let event = ForgeEdge.StateEvent(project: place.project, event: ForgeEvent(news.events[words.count]))
        broker.call(event) { [weak self] result, _ in
            guard let self else { return }
            switch result {
            case .success(let reply): state(news, words + [reply.delivery], place, responder)
            case .failure(let failure): fail(responder, place, failure)
            }
        }
    }
}
