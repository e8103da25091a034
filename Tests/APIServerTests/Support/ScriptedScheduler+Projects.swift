// The scripted schedulerd's projects and deliveries.

import Files
import Foundation
import Link
import Posix
import Wire

extension ScriptedScheduler {
    static func addProjects(_ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>, _ inside: Inside) {
        handlers.on(SchedulerEdge.Deliver.self) { request, fds, responder in
            let raws = fds.raws
            let body = raws.first.flatMap { try? Posix.pread($0, maximum: 1 << 26, at: 0) } ?? []
            script.change { $0.deliveries.append((request, body)) }
            _ = consume fds
            if let failure = script.value.deliveryRefusal { return responder.fail(failure) }
            if script.value.holdsDeliveries { return inside.deliveries.append(responder) }
            responder.reply(.init(delivery: 7, created: true))
        }
        handlers.on(SchedulerEdge.ListDeliveries.self) { request, _, responder in
            guard admits(request.token, "ListDeliveries", script, responder) else { return }
            let row = SchedulerEdge.DeliverySummary(
                id: 7, project: "shop", receivedMs: 1_700_000_000_123, state: .planned, what: "push to main", text: "",
                jobs: [1, 2])
            responder.reply(.init(deliveries: [row], next: request.before == 0 ? 7 : 0))
        }
        handlers.on(SchedulerEdge.ApplyProject.self) { request, _, responder in
            guard admits(request.token, "ApplyProject", script, responder) else { return }
            script.change { $0.applied.append(request) }
            responder.reply(.init(revision: Bytes32(1, 2, 3, 4)))
        }
        handlers.on(SchedulerEdge.RemoveProject.self) { request, _, responder in
            guard admits(request.token, "RemoveProject", script, responder) else { return }
            responder.reply(.init())
        }
        handlers.on(SchedulerEdge.ListProjects.self) { request, _, responder in
            guard admits(request.token, "ListProjects", script, responder) else { return }
            let row = SchedulerEdge.ProjectSummary(
                name: "shop", forge: .github, repository: "acme/shop", jobs: 2, revision: Bytes32(1, 2, 3, 4),
                setMs: 1_700_000_000_123)
            responder.reply(.init(projects: [row], more: false))
        }
        handlers.on(SchedulerEdge.GetProject.self) { request, _, responder in
            guard admits(request.token, "GetProject", script, responder) else { return }
            responder.reply(.init(document: Array("{}".utf8), revision: Bytes32(1, 2, 3, 4)))
        }
        handlers.on(SchedulerEdge.CheckForge.self) { request, _, responder in
            guard admits(request.token, "CheckForge", script, responder) else { return }
            responder.reply(.init(missing: ["the token may not write commit statuses"]))
        }
        handlers.on(SchedulerEdge.GetHeld.self) { request, _, responder in
            guard admits(request.token, "GetHeld", script, responder) else { return }
            if let failure = failure(of: request.job, script) { return responder.fail(failure) }
            let commit = String(repeating: "a", count: 40)
            responder.reply(
                .init(
                    project: "shop", number: 7, head: commit, base: commit, branch: "main",
                    revision: Bytes32(1, 2, 3, 4), author: "eve"
                ))
        }
        handlers.on(SchedulerEdge.ApproveJob.self) { request, _, responder in
            guard admits(request.token, "ApproveJob", script, responder) else { return }
            if let failure = failure(of: request.job, script) { return responder.fail(failure) }
            responder.reply(.init(jobs: 1))
        }
    }
}
