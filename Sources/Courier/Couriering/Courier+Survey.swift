// What a project's forge does not let us do, for whoever sets one up.

import Exchange
import ForgeCalls
import ForgeModel
import Link
import Wire

extension Courier {
    func checkForge(_ request: CourierEdge.CheckForge, _ responder: Responder<CourierEdge.CheckForge.Reply>) {
        let branch = request.branch
        var purpose = Visit.Purpose(
            call: { (home) throws(Failure) in .survey(home.repository, branch: branch) }, time: .seconds(20))
        // Somebody waits to be told, and asks again himself.
        purpose.policy.attempts = 1
        visit(request.place, responder, purpose) { [self] result in
            guard case .surveyed(let lacks) = result else { return unexpected(responder, request.place) }
            responder.reply(
                .init(
                    missing: lacks.map { found in found.lack.sentence + (found.scope.map { "; it needs \($0)" } ?? "") }
                ))
        }
    }
}

extension ForgeLack {
    fileprivate var sentence: String {
        switch self {
        case .token: "the forge does not take the token: it has ended, or is another forge's"
        case .account: "the token may not read whose it is, so its own comment is not found again"
        case .repository: "there is no such repository, or the token does not see it"
        case .sources: "the token may not read the sources"
        case .branch: "there is no default branch of this name, or the token may not read the sources"
        case .statuses: "the token may not write commit statuses"
        case .comments: "the token may not write comments below changes"
        case .permissions: "the token may not ask what others may do, so nobody can approve by a comment"
        }
    }
}
