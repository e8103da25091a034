// Projects whose forge tells nobody: it is asked by the clock what is new. What is found is a delivery like any other,
// written in one commit with how far the asking has come, so that nothing is found twice and nothing is missed.

import Daemon
import Link
import ProjectModel
import Store
import TrustModel
import Wire

extension Scheduler {
    private static let pageOfPolled = 50

    /// At a start: what rules ask for without a webhook.
    func takeUpPolling() {
        batch.question("polled projects", fail: { self.log.error("nothing is polled", ["why": $0.text]) }) { unit in
            var after = ""
            while true {
                let page = try unit.rows.projects(after: after, limit: Self.pageOfPolled)
                for row in page {
                    // One that cannot be read stops nobody else's.
                    guard let project = try? StoredProject.read(row.document) else {
                        self.log.error("rules cannot be read", ["project": row.name])
                        continue
                    }
                    unit.afterCommit {
                        self.setPolled(project)
                        self.gitlab.set(project)
                    }
                }
                guard page.count == Self.pageOfPolled, let last = page.last else {
                    return unit.afterCommit { self.gitlab.knowsRules() }
                }
                after = last.name
            }
        }
    }

    /// As its rules now say.
    func setPolled(_ project: Project) {
        let (name, repository) = (project.rules.name, project.rules.repository)
        guard project.polling else { return endPolling(name) }
        // What the rules do not say courierd asks the forge.
        polled[name] = CourierEdge.ForgePlace(
            project: name, repository: ForgeRepository(id: repository.id ?? 0, path: repository.path ?? "-"))
        if !isArmed(.poll(name)) && !polling.contains(name) { pollLater(name, after: .zero) }
    }

    func endPolling(_ project: String) {
        polled[project] = nil
        disarm(.poll(project))
    }

    private func pollLater(_ project: String, after pause: Duration? = nil) {
        guard polled[project] != nil else { return }
        arm(.poll(project), after: pause ?? settings.pollPause) { $0.poll(project) }
    }

    private func poll(_ project: String) {
        guard let place = polled[project], courier.isReady, forgeTroubles[project]?.isPaused != true else {
            return pollLater(project)
        }
        let fail = { (failure: Failure) in
            self.log.warning("a forge is not polled", ["project": project, "why": failure.text])
            self.pollLater(project)
        }
        batch.question("cursor", fail: fail) { unit in
            let cursor = try unit.rows.cursor(project)
            unit.afterCommit {
                self.polling.insert(project)
                self.courier.poll(.init(place: place, cursor: cursor)) { result in
                    self.polling.remove(project)
                    switch result {
                    case .success(let news): self.take(news, of: project)
                    case .failure(let failure): self.notPolled(project, failure)
                    }
                }
            }
        }
    }

    private func take(_ news: CourierEdge.Poll.Reply, of project: String) {
        forgeTroubles[project]?.end()
        let fail = { (failure: Failure) in
            self.log.warning("news of a forge is not kept", ["project": project, "why": failure.text])
            self.pollLater(project)
        }
        batch.request("news of a forge", fail: fail) { unit in
            for word in news.events where word.project == project { _ = try self.keep(unit, word) }
            try unit.rows.setCursor(project, news.cursor)
            unit.afterCommit { self.pollLater(project, after: news.more ? .zero : nil) }
        }
    }

    private func notPolled(_ project: String, _ failure: Failure) {
        if failure.place == "cursor" {
            // Of another courierd: what is there now is where it begins, and what came between is not found.
            log.warning("polling begins anew", ["project": project, "why": failure.text])
            batch.event("cursor is worth nothing") { try $0.rows.setCursor(project, []) }
        } else if failure.errorCode.retry == .later {
            rest(project, failure)
        } else if !failure.isLostLink {
            // Somebody has to mend something first.
            log.warning("a forge is not polled", ["project": project, "why": failure.text])
            return pollLater(project, after: settings.pollMended)
        }
        pollLater(project)
    }
}
