// Users and tokens: what brokerd says of them.

import Link
import TrustWire
import Wire

extension Scheduler {
    func addPeopleHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.WhoAmI.self) { [weak self] request, _, responder in
            self?.tell("who am I", request.token, to: .seeHouse, .house, responder) { _, caller in
                .init(name: caller.name, projects: caller.rights.projects, everywhere: caller.rights.everywhere)
            }
        }
        handlers.on(SchedulerEdge.ListUsers.self) { [weak self] request, _, responder in
            let question = BrokerEdge.ListUsers(token: request.token, after: request.after)
            self?.broker.listUsers(question) { result in
                switch result {
                case .failure(let failure): responder.fail(Self.refusal(of: failure))
                case .success(let page):
                    responder.reply(.init(revision: page.revision, users: page.users, more: page.more))
                }
            }
        }
        handlers.on(SchedulerEdge.ListTokens.self) { [weak self] request, _, responder in
            let question = BrokerEdge.ListTokens(token: request.token, user: request.user, after: request.after)
            self?.broker.listTokens(question) { result in
                switch result {
                case .failure(let failure): responder.fail(Self.refusal(of: failure))
                case .success(let page): responder.reply(.init(tokens: page.tokens, more: page.more))
                }
            }
        }
    }
}
