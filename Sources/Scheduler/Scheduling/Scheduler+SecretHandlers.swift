// Secrets by name, and orders under seal: both only pass through here, and brokerd says who may what.

import Link
import Wire

extension Scheduler {
    func addSecretHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.SendOrder.self) { [weak self] request, _, responder in
            // Whether the order may be given, brokerd alone can say: we cannot read it.
            self?.broker.execute(request.order, token: request.token) { failure in
                if let failure { return responder.fail(Self.refusal(of: failure)) }
                // It may have been a rotation, which discards every grant.
                self?.batch.event("order carried out") { try self?.noteKeyless($0) }
                responder.reply(.init())
            }
        }
        handlers.on(SchedulerEdge.ListSecrets.self) { [weak self] request, _, responder in
            let question = BrokerEdge.ListSecrets(
                token: request.token, project: request.project, after: request.after)
            self?.broker.listSecrets(question) { result in
                switch result {
                case .failure(let failure): responder.fail(Self.refusal(of: failure))
                case .success(let page):
                    let shown = page.secrets.map {
                        SchedulerEdge.SecretInfo(name: $0.name, setMs: $0.setMs, setBy: $0.setBy)
                    }
                    responder.reply(.init(secrets: shown, more: page.more))
                }
            }
        }
    }
}
