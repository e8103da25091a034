// Runners at GitLab: each has one question under way at courierd, for as long as its project wants one.

import Daemon
import Link
import Store
import Wire

extension GitLabDesk {
    func ask(_ project: String) {
        guard let served = served[project], scheduler.courier.isReady else { return }
        let key = RunnerKey(project: project, slot: served.slot)
        guard asking[key] == nil else { return }
        asking[key] = Asking(jobs: 0)
        let fail = { (failure: Failure) in self.askLater(key, failure) }
        scheduler.batch.question("runner at GitLab", fail: fail) { unit in
            let known = try unit.rows.gitlabRunner(project, slot: served.slot)
            let jobs = try self.jobs(served, unit)
            unit.afterCommit {
                self.asking[key]?.jobs = jobs
                let request = CourierEdge.AskRunner(
                    place: served.place, slot: key.slot, rule: served.rule, known: known, jobs: UInt16(clamping: jobs),
                    taken: self.taken[key] ?? 0)
                self.scheduler.courier.askRunner(request) { result in
                    switch result {
                    case .success(let news): self.take(news, key)
                    case .failure(let failure): self.askLater(key, failure)
                    }
                }
            }
        }
    }

    /// Until a question that came to nothing is asked again.
    private static let pause = Duration.seconds(5)

    private func askAgain(_ key: RunnerKey) {
        asking[key] = nil
        ask(key.project)
    }

    private func askLater(_ key: RunnerKey, _ failure: Failure) {
        // A lost link comes back by itself, and everybody asks anew.
        guard scheduler.courier.isReady else { return }
        note(key.project, failure)
        scheduler.arm(.runner(key.project), after: Self.pause) { _ in self.askAgain(key) }
    }

    private func take(_ news: CourierEdge.RunnerNews, _ key: RunnerKey) {
        switch news {
        case .quiet: askAgain(key)
        case .trouble(let trouble):
            note(key.project, Failure(ErrorCode(rawValue: trouble.code), trouble.text))
            askAgain(key)
        case .registered(let word):
            troubles[key.project] = nil
            keep("runner at GitLab", key) { unit in
                guard word.project == key.project else { return }
                try unit.rows.keepGitLabRunner(word, slot: key.slot)
            }
        case .job(let given):
            troubles[key.project] = nil
            let row = GitLabJobRow(slot: key.slot, definition: given.definition, word: given.word)
            guard row.project == key.project, given.definition.project == key.project else { return askAgain(key) }
            keep("job of GitLab's", key) { unit in
                let isNew = try unit.rows.gitlabJob(row.project, row.number) == nil
                try unit.rows.insertGitLabJob(row)
                unit.afterCommit {
                    self.taken[key] = row.number
                    if self.served[key.project]?.rule.own == true { self.served[key.project]?.slot += 1 }
                    if isNew { self.follow(GitLabWork(row, isResumed: false)) }
                }
            }
        }
    }

    /// Somebody may have to mend something; it is said once.
    private func note(_ project: String, _ failure: Failure) {
        guard troubles.updateValue(failure, forKey: project)?.text != failure.text else { return }
        scheduler.log.warning("no jobs come from GitLab", ["project": project, "why": failure.text])
    }

    /// On disk, and then the next question says so.
    private func keep(_ what: String, _ key: RunnerKey, _ body: @escaping (UnitOfWork) throws -> Void) {
        scheduler.batch.request(what, fail: { self.askLater(key, $0) }) { unit in
            try body(unit)
            unit.afterCommit { self.askAgain(key) }
        }
    }

    // MARK: the end

    /// Tells GitLab, once; a house that is away then leaves its runner listed, and says so.
    func leave(_ key: RunnerKey, _ old: Served) {
        guard leaving.insert(key).inserted else { return }
        asking[key] = nil
        scheduler.batch.question("runner that leaves", fail: { _ in self.leaving.remove(key) }) { unit in
            guard let known = try unit.rows.gitlabRunner(key.project, slot: key.slot) else {
                return unit.afterCommit { self.leaving.remove(key) }
            }
            unit.afterCommit {
                let request = CourierEdge.LeaveRunner(place: old.place, slot: key.slot, rule: old.rule, known: known)
                self.scheduler.courier.leaveRunner(request) { failure in
                    self.leaving.remove(key)
                    if let failure {
                        let about: KeyValuePairs = ["project": key.project, "runner": "\(known.id)", "why": failure.text]
                        self.scheduler.log.warning("a runner may still be listed at GitLab", about)
                    }
                    self.scheduler.batch.event("runner left") { unit in
                        try unit.rows.forgetGitLabRunner(key.project, slot: key.slot)
                    }
                }
            }
        }
    }
}
