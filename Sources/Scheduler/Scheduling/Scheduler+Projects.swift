// Projects. Their rules go to brokerd under a seal that only it opens; the whole document stays here, and holds from
// the moment on at which brokerd's words name its revision.

import Link
import ProjectModel
import Store
import TrustModel
import TrustWire
import Wire

extension Scheduler {
    private static let projectPage = 50

    func addProjectHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.ApplyProject.self) { [weak self] request, _, responder in
            self?.apply(request, responder)
        }
        handlers.on(SchedulerEdge.RemoveProject.self) { [weak self] request, _, responder in
            self?.remove(request, responder)
        }
        handlers.on(SchedulerEdge.ListProjects.self) { [weak self] request, _, responder in
            self?.tell("list projects", request.token, to: .seeHouse, .house, responder) { unit, caller in
                let rows =
                    try caller.rights.visible?.filter { $0 > request.after }.compactMap { try unit.rows.project($0) }
                    ?? unit.rows.projects(after: request.after, limit: Self.projectPage + 1)
                return .init(
                    projects: try rows.prefix(Self.projectPage).map { try Self.summary($0) },
                    more: rows.count > Self.projectPage)
            }
        }
        handlers.on(SchedulerEdge.GetProject.self) { [weak self] request, _, responder in
            let matter = Matter.project(request.project)
            self?.tell("get project", request.token, to: .seeProject, matter, responder) { unit, _ in
                guard let row = try unit.rows.project(request.project) else { throw Failure.noProject(request.project) }
                return .init(document: row.document, revision: row.revision)
            }
        }
    }

    private func apply(
        _ request: SchedulerEdge.ApplyProject, _ responder: Responder<SchedulerEdge.ApplyProject.Reply>
    ) {
        let project: Project
        do { project = try StoredProject.read(request.document) } catch { return responder.fail(error) }
        let (name, revision) = (project.rules.name, StoredProject.revision(project))
        // brokerd may have it, and its answer be lost: so it is written first.
        admit(
            "stage project", request.token, to: .applyProject, .project(name), writes: true,
            fail: { responder.fail($0) }
        ) { [weak self] unit, _ in
            try unit.rows.stageProject(name, request.document, revision, at: unit.now)
            unit.afterCommit {
                self?.broker.execute(request.order, token: request.token) { failure in
                    if let failure { return responder.fail(Self.refusal(of: failure)) }
                    self?.batch.request("apply project", fail: { responder.fail($0) }) { unit in
                        try unit.rows.promoteProject(name, revision, at: unit.now)
                        try self?.endOutdated(unit, of: name, but: revision)
                        unit.afterCommit {
                            self?.setPolled(project)
                            self?.gitlab.set(project)
                        }
                        unit.afterCommit { responder.reply(.init(revision: revision)) }
                    }
                }
            }
        }
    }

    private func remove(
        _ request: SchedulerEdge.RemoveProject, _ responder: Responder<SchedulerEdge.RemoveProject.Reply>
    ) {
        admit(
            "may remove project", request.token, to: .applyProject, .project(request.project),
            fail: { responder.fail($0) }
        ) { [weak self] unit, _ in
            // GitLab is told while brokerd still knows the way.
            unit.afterCommit {
                self?.gitlab.end(request.project) { self?.removeAdmitted(request, responder) }
            }
        }
    }

    private func removeAdmitted(
        _ request: SchedulerEdge.RemoveProject, _ responder: Responder<SchedulerEdge.RemoveProject.Reply>
    ) {
        broker.execute(request.order, token: request.token) { [weak self] failure in
            // Said again after an answer that was lost, it is gone there already.
            if let failure, failure.errorCode != .notFound {
                self?.serveAgain(request.project)
                return responder.fail(Self.refusal(of: failure))
            }
            self?.batch.request("remove project", fail: { responder.fail($0) }) { unit in
                guard try unit.rows.project(request.project) != nil else { throw Failure.noProject(request.project) }
                try self?.endOutdated(unit, of: request.project, but: nil)
                try unit.rows.removeProject(request.project)
                unit.afterCommit { self?.endPolling(request.project) }
                unit.afterCommit { responder.reply(.init()) }
            }
        }
    }

    /// The project stays: its runner comes back to GitLab.
    private func serveAgain(_ project: String) {
        batch.question("project that stays", fail: { _ in }) { unit in
            guard let row = try unit.rows.project(project) else { return }
            let stays = try StoredProject.read(row.document)
            unit.afterCommit { self.gitlab.set(stays) }
        }
    }

    private static func summary(_ row: ProjectRow) throws -> SchedulerEdge.ProjectSummary {
        let project = try StoredProject.read(row.document)
        return SchedulerEdge.ProjectSummary(
            name: row.name, forge: project.forge.kind.wire,
            repository: project.repository.path ?? project.repository.id.map { "\($0)" } ?? "",
            jobs: UInt16(clamping: project.jobs.count), revision: row.revision, setMs: row.setMs)
    }
}
