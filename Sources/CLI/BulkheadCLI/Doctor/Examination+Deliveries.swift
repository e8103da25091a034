// What a forge has told us of a project, what was refused of it, and whether a job of it has succeeded.

import Foundation
import ProjectModel
import TrustModel

extension Project {
    /// Whether nothing runs for it unless its forge says something.
    var wantsHook: Bool { !polling && !jobs.isEmpty }
}

extension Examination {
    /// The jobs that are looked at for one that succeeded, newest first.
    private static let jobs = 20

    func deliveries(_ project: Project) async throws {
        let query = ["project": project.name, "limit": "50"]
        let data = try await client.send(try client.request("GET", "/deliveries", query: query))
        let deliveries = try client.decoded(DeliveryPage.self, data).deliveries
        webhook(project, deliveries.first)
        // What no webhook has brought, the next question at the forge finds.
        if project.wantsHook { refused(project, since: deliveries.first?.receivedAt) }
        if !project.wantsHook || !deliveries.isEmpty { try await green(project, deliveries) }
    }

    private func webhook(_ project: Project, _ newest: DeliveryPage.Delivery?) {
        if let newest {
            let what = "the last brought: \(newest.what), at \(newest.receivedAt)"
            return add(.webhook, .ok, project: project.name, what)
        }
        if !project.wantsHook {
            let why = project.polling ? "the forge is asked what is new" : "its jobs are those of GitLab CI"
            return add(.webhook, .ok, project: project.name, "not needed: \(why)")
        }
        add(
            .webhook, .missing, project: project.name,
            "none has come; enter it at the forge: JSON, the webhook-key as its secret, to \(address(project))",
            mend: project.hooks)
    }

    /// What is to be entered at the forge.
    private func address(_ project: Project) -> String {
        let path = project.hookPath
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

    /// The newest thing counts, and what has succeeded before it is told beside it.
    private func green(_ project: Project, _ deliveries: [DeliveryPage.Delivery]) async throws {
        var (newest, succeeded): (JobAnswer?, JobAnswer?)
        for id in deliveries.flatMap(\.jobs).prefix(Self.jobs) where succeeded == nil {
            let job = try client.decoded(
                JobAnswer.self, try await client.send(try client.request("GET", "/jobs/\(id)")))
            newest = newest ?? job
            if job.state == "SUCCEEDED" { succeeded = job }
        }
        // Most of what a forge tells is no news.
        let last = deliveries.first { $0.state != "idle" }
        if let last, last.isOpen {
            let what = "\(last.what) \(last.isRefused ? "was refused: " : "")\(last.text)"
            let before = succeeded.map { "; before it \($0.saying) succeeded" } ?? ""
            return add(
                .green, last.isRefused ? .missing : .unknown, project: project.name, what + before,
                mend: last.isRefused ? "git push" : "bulkhead deliveries --project \(project.name)")
        }
        let remark = (last?.text).map { $0.isEmpty ? "" : "; \($0)" } ?? ""
        if let succeeded {
            let later = newest.map { $0.id == succeeded.id ? "" : "; since then \($0.saying) is \($0.state)" } ?? ""
            return add(.green, .ok, project: project.name, "\(succeeded.saying) succeeded\(later)\(remark)")
        }
        guard let newest else {
            let why = (deliveries.first?.text).map { $0.isEmpty ? "" : ": \($0)" } ?? ""
            let what = deliveries.isEmpty ? "nothing new was found" : "nothing runs for what has come\(why)"
            return add(.green, .missing, project: project.name, what, mend: "git push")
        }
        let reason = newest.reason.isEmpty ? "" : ": \(newest.reason)"
        let isHeld = newest.state == "HELD"
        add(
            .green, newest.isFinished || isHeld ? .missing : .unknown, project: project.name,
            "\(newest.saying) is \(newest.state)\(reason)\(remark)",
            mend: "bulkhead \(isHeld ? "approve" : "why") \(newest.id)")
    }
}

extension JobAnswer {
    fileprivate var saying: String { "job \(id) '\(name)'" }
}

extension DeliveryPage.Delivery {
    fileprivate var isRefused: Bool { state == "refused" }
    /// No job is there yet, or none will be.
    fileprivate var isOpen: Bool { isRefused || state == "waits" }
}

extension Project {
    /// Where its deliveries come in. An app has one place for all of its projects.
    var hookPath: String {
        "/webhook/\(rules.forge.kind.rawValue)" + (rules.forge.app == nil ? "/\(rules.name)" : "")
    }

    /// Where an app is looked after: its webhook, its permissions.
    var appPage: String? { rules.forge.app.map { _ in "\(rules.forge.url)/settings/apps, or the organization's" } }

    /// The forge's page about webhooks.
    fileprivate var hooks: String {
        let forge = rules.forge
        guard let path = rules.repository.path else { return forge.url }
        return switch forge.kind {
        case .github: appPage ?? "\(forge.url)/\(path)/settings/hooks"
        case .gitlab: "\(forge.url)/\(path)/-/hooks"
        case .gitea, .forgejo: "\(forge.url)/\(path)/settings/hooks"
        }
    }
}
