// Whether a project's forge lets us do what has to be done there: courierd asks it, for whoever sets a project up.

import Link
import ProjectModel
import Store
import TrustModel
import TrustWire
import Wire

extension Scheduler {
    func addForgeCheckHandler(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.CheckForge.self) { [weak self] request, _, responder in
            // It costs the project's token some of what the forge allows it.
            let matter = Matter.project(request.project)
            self?.admit("check forge", request.token, to: .setSecrets, matter, fail: { responder.fail($0) }) {
                unit, _ in
                let question = try Self.question(unit, request.project)
                unit.afterCommit { self?.check(question, responder) }
            }
        }
    }

    private static func question(_ unit: UnitOfWork, _ name: String) throws -> CourierEdge.CheckForge {
        guard let row = try unit.rows.project(name) else { throw Failure.noProject(name) }
        let project = try StoredProject.read(row.document)
        // Neither number nor path: what the rules say counts, and the forge is asked for the rest.
        let place = CourierEdge.ForgePlace(project: name, repository: ForgeRepository(id: 0, path: "-"))
        return CourierEdge.CheckForge(place: place, branch: project.defaultBranch)
    }

    private func check(
        _ question: CourierEdge.CheckForge, _ responder: Responder<SchedulerEdge.CheckForge.Reply>
    ) {
        guard courier.isReady else { return responder.fail(Failure(.disconnected, "courierd is away")) }
        courier.checkForge(question) { result in
            switch result {
            case .success(let missing):
                let trouble = self.gitlab.troubles[question.place.project].map {
                    Reasons.fit("jobs of GitLab CI do not come: \($0.text)", limit: 256)
                }
                responder.reply(.init(missing: missing.prefix(7) + [trouble].compactMap { $0 }))
            case .failure(let failure):
                // The caller's own token is good; this is about the project's.
                let code = failure.errorCode == .unauthorized ? ErrorCode.forgeRefused : failure.errorCode
                responder.fail(Failure(code, failure.text, place: failure.place))
            }
        }
    }
}
