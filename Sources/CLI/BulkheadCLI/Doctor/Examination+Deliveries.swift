// What a forge has told us of a project, what was refused of it, and whether a job of it has succeeded.

import Foundation
import ProjectModel
import TrustModel

extension Examination {
    /// The jobs that are looked at for one that succeeded, newest first.
    private static let jobs = 20

    func deliveries(_ project: Project) async throws {
        let query = ["project": project.name, "limit": "50"]
        let data = try await client.send(try client.request("GET", "/deliveries", query: query))
        let deliveries = try client.decoded(DeliveryPage.self, data).deliveries
        if let newest = deliveries.first {
            add(.webhook, .ok, project: project.name, "the last brought: \(newest.what), at \(newest.receivedAt)")
        } else {
            add(
                .webhook, .missing, project: project.name,
                "none has come; enter it at the forge: JSON, the webhook-key as its secret, to \(address(project))",
                mend: project.hooks)
        }
        refused(project, since: deliveries.first?.receivedAt)
        if !deliveries.isEmpty { try await green(project, deliveries) }
    }

    /// What is to be entered at the forge.
    private func address(_ project: Project) -> String {
        let path = "/webhook/\(project.forge.kind.rawValue)/\(project.name)"
        guard isLocal else { return "\(client.base)\(path)" }
        return "https://NAME\(path), where NAME is that of a proxy which leads here"
    }

    /// What a forge sends and nobody believes is told in one place only.
    private func refused(_ project: Project, since: String?) {
        guard let log = RefusalLog.text(of: log(of: "brokerd")) else {
            guard since == nil else { return }
            return add(
                .refused, .unknown, project: project.name, "whether one was refused stands in the log of brokerd",
                mend: "journalctl --unit=bulkhead-brokerd.service --grep=VerifyDelivery --lines=5")
        }
        // Once one has come, anybody's noise is no matter of this project's.
        let last = RefusalLog.last(of: project.name, anybodys: since == nil, after: since ?? "", in: log)
        guard let last else {
            let when = since == nil ? "" : " since"
            return add(.refused, .ok, project: project.name, "no webhook was refused\(when)")
        }
        add(
            .refused, .missing, project: project.name, "a webhook was refused at \(last.time): \(last.reason)",
            mend: project.hooks)
    }

    private func green(_ project: Project, _ deliveries: [DeliveryPage.Delivery]) async throws {
        var newest: JobAnswer?
        for id in deliveries.flatMap(\.jobs).prefix(Self.jobs) {
            let job = try client.decoded(
                JobAnswer.self, try await client.send(try client.request("GET", "/jobs/\(id)")))
            if job.state == "SUCCEEDED" {
                return add(.green, .ok, project: project.name, "job \(id) '\(job.name)' succeeded")
            }
            newest = newest ?? job
        }
        guard let newest else {
            let why = deliveries.first?.text ?? ""
            let what = "nothing runs for what has come" + (why.isEmpty ? "" : ": \(why)")
            return add(.green, .missing, project: project.name, what, mend: "git push")
        }
        let job = "job \(newest.id) '\(newest.name)' is \(newest.state)"
        let reason = newest.reason.isEmpty ? "" : ": \(newest.reason)"
        let isHeld = newest.state == "HELD"
        add(
            .green, newest.isFinished || isHeld ? .missing : .unknown, project: project.name, job + reason,
            mend: "bulkhead \(isHeld ? "approve" : "why") \(newest.id)")
    }
}

extension Project {
    /// The forge's page about webhooks.
    fileprivate var hooks: String {
        let forge = rules.forge
        guard let path = rules.repository.path else { return forge.url }
        return switch forge.kind {
        case .github: "\(forge.url)/\(path)/settings/hooks"
        case .gitlab: "\(forge.url)/\(path)/-/hooks"
        case .gitea, .forgejo: "\(forge.url)/\(path)/settings/hooks"
        }
    }
}
