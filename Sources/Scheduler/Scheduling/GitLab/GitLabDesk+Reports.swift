// A job's way back: its log as it grows, the files that it leaves, its end. The row goes when GitLab has all of that.

import Daemon
import Link
import Posix
import Store
import Wire

extension GitLabDesk {
    /// For the last scripts of a job that is cancelled there; GitLab gives them five minutes.
    private static let lastSteps: UInt32 = 300

    func report(_ work: GitLabWork) {
        guard !work.isReporting else { return }
        work.isReporting = true
        let request = CourierEdge.ReportJob(word: work.row.word, resumed: work.isResumed)
        work.isResumed = true
        scheduler.courier.reportJob(
            request, onItem: { self.hear($0, work) },
            onEnd: { failure in
                guard self.works[work.key] === work, self.scheduler.courier.isReady else { return }
                self.notReported(work, failure)
            })
    }

    private func notReported(_ work: GitLabWork, _ failure: Failure?) {
        let about: KeyValuePairs = [
            "project": work.row.project, "job": "\(work.row.number)", "why": failure?.text ?? "it ended",
        ]
        if let failure, failure.errorCode.retry != .later {
            scheduler.log.error("GitLab will not hear of a job's end", about)
            return forget(work)
        }
        scheduler.log.warning("a job of GitLab's is not reported", about)
        work.linkIsNew()
        scheduler.arm(.report(work.key.project, work.key.number), after: .seconds(2)) { _ in self.goOn(work) }
    }

    private func hear(_ word: CourierEdge.ReportWord, _ work: GitLabWork) {
        guard works[work.key] === work else { return }
        switch word {
        case .cancel, .abort: cancel(work, grace: word == .cancel ? Self.lastSteps : 0)
        case .accepted, .gone, .refused, .exhausted:
            if word != .accepted {
                scheduler.log.warning(
                    "a job of GitLab's is over there",
                    ["project": work.row.project, "job": "\(work.row.number)", "word": "\(word)"])
            }
            forget(work)
        }
    }

    private func cancel(_ work: GitLabWork, grace: UInt32) {
        work.isCancelledThere = true
        guard let job = work.row.job else { return refuse(work, .cancelledThere, "") }
        scheduler.batch.event("cancelled at GitLab") { unit in
            guard try unit.rows.job(job) != nil else { return }
            _ = try self.scheduler.cancel(unit, job: job, graceSeconds: grace)
        }
    }

    /// GitLab has all of it, or wants none of it.
    private func forget(_ work: GitLabWork) {
        let key = work.key
        works[key] = nil
        if let job = work.row.job { numbers[job] = nil }
        scheduler.batch.event("job of GitLab's is over") { unit in
            try unit.rows.forgetGitLabJob(key.project, key.number)
            if let job = work.row.job, let row = try unit.rows.job(job), !row.isFinal {
                _ = try self.scheduler.cancel(unit, job: job, graceSeconds: 0)
            }
            unit.afterCommit {
                if let job = work.row.job { self.removeFiles(job) }
                // A runner of its own goes with it.
                guard self.served[key.project]?.isOwn == true else { return }
                self.asking[key.project] = nil
                self.ask(key.project)
            }
        }
    }

    private func removeFiles(_ job: UInt64) {
        guard scheduler.relay.isReady else { return }
        // What is left goes with the job's log.
        scheduler.relay.removeArtifacts(job) { _ in }
    }

    // MARK: log, files, end

    func goOnReporting(_ work: GitLabWork) {
        guard let job = work.row.job, scheduler.relay.isReady else { return }
        scheduler.batch.question("job of GitLab's", fail: { _ in self.lookAgain(work) }) { unit in
            guard let row = try unit.rows.job(job) else { return unit.afterCommit { self.forget(work) } }
            let attempt = try unit.rows.toldAttempt(ofJob: job)?.attempt
            let steps = row.isFinal ? try unit.rows.steps(ofJob: job) : []
            unit.afterCommit {
                if let attempt, !work.isShown { return self.showLog(work, attempt) }
                guard row.isFinal else { return }
                if let attempt, self.sendFiles(work, attempt, isGood: row.state == .succeeded) { return }
                let (end, code) = GitLabEnd.of(row, steps, isCancelledThere: work.isCancelledThere)
                let words = [end == .succeeded ? "" : row.reason] + work.remarks
                self.end(
                    work, work.isLost && end == .succeeded ? .unreachable : end, exitCode: code,
                    words.filter { !$0.isEmpty }.joined(separator: "; "))
            }
        }
    }

    private func lookAgain(_ work: GitLabWork) {
        scheduler.arm(.report(work.key.project, work.key.number), after: .seconds(2)) { _ in self.goOn(work) }
    }

    private func showLog(_ work: GitLabWork, _ attempt: Attempt) {
        guard !work.isShowing else { return }
        work.isShowing = true
        let link = work.link
        scheduler.relay.openLog(attempt) { result, fds in
            var fds = fds
            guard work.isShowing, work.link == link else { return }
            guard case .success = result, let log = fds.takeFirst() else {
                work.isShowing = false
                // It may not have begun yet; one that is gone for good is a log without a line.
                if case .failure(let failure) = result, failure.errorCode == .notFound { work.isShown = true }
                return self.lookAgain(work)
            }
            let request = CourierEdge.ShowLog(project: work.row.project, job: work.row.number)
            self.scheduler.courier.showLog(request, log) { failure in
                guard work.isShowing, work.link == link else { return }
                work.isShowing = false
                work.isShown = failure == nil
                if failure == nil { self.goOn(work) } else { self.lookAgain(work) }
            }
        }
    }

    /// Whether some are on their way; then it goes on by itself.
    private func sendFiles(_ work: GitLabWork, _ attempt: Attempt, isGood: Bool) -> Bool {
        if work.isSending { return true }
        let rules = work.row.definition.spec.artifacts
        guard work.sent < work.row.word.about.uploads.count, work.sent < rules.count else { return false }
        let isMeant = rules[work.sent].when == .always || (rules[work.sent].when == .onSuccess) == isGood
        work.isSending = true
        let (link, rule) = (work.link, work.sent)
        scheduler.relay.openArtifact(attempt, rule: UInt16(rule)) { result, fds in
            var fds = fds
            guard work.isSending, work.link == link else { return }
            switch result {
            case .failure(let failure) where failure.errorCode.retry == .later:
                work.isSending = false
                self.lookAgain(work)
            case .failure(let failure): self.hasSent(work, isMeant ? "none: \(failure.text)" : nil)
            case .success(let found):
                guard let archive = fds.takeFirst() else { return self.hasSent(work, "none came") }
                let request = CourierEdge.SendArtifact(word: work.row.word, rule: UInt8(rule), seal: found.seal)
                self.scheduler.courier.sendArtifact(request, archive) { failure in
                    guard work.isSending, work.link == link else { return }
                    if let failure, failure.errorCode != .limitReached { work.failures += 1 }
                    if let failure, failure.errorCode.retry == .later, work.failures < Self.tries {
                        work.isSending = false
                        return self.lookAgain(work)
                    }
                    if failure != nil { work.isLost = true }
                    self.hasSent(work, failure.map { "lost: \($0.text)" })
                }
            }
        }
        return true
    }

    private func hasSent(_ work: GitLabWork, _ remark: String?) {
        if let remark { work.remarks.append("artifacts '\(work.row.word.about.uploads[work.sent].name)': \(remark)") }
        (work.isSending, work.sent, work.failures) = (false, work.sent + 1, 0)
        goOn(work)
    }

    func end(_ work: GitLabWork, _ end: CourierEdge.JobEndWord, exitCode: UInt16, _ text: String) {
        guard !work.isEnded else { return }
        work.isEnded = true
        let request = CourierEdge.EndJob(
            project: work.row.project, job: work.row.number, end: end, exitCode: exitCode,
            text: text.isEmpty ? "" : Reasons.fit("Bulkhead: \(text)", limit: 1024))
        scheduler.courier.endJob(request) { failure in
            guard failure != nil, self.works[work.key] === work else { return }
            work.isEnded = false
            self.lookAgain(work)
        }
    }
}
