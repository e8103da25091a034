// Runners at GitLab. Each project has one question under way at courierd, for as long as it wants jobs.

import Daemon
import Link
import Posix
import Store
import Wire

extension GitLabDesk {
    /// Until a question that came to nothing is asked again.
    private static let pause = Duration.seconds(5)
    /// For which the removal of a project waits until its runners have left GitLab.
    private static let farewell = Duration.seconds(20)

    func ask(_ project: String) {
        guard let served = served[project], scheduler.courier.isReady, asking[project] == nil else { return }
        questions += 1
        let question = Asking(number: questions)
        asking[project] = question
        let fail = { (failure: Failure) in self.askLater(project, question, failure) }
        scheduler.batch.question("runner at GitLab", fail: fail) { unit in
            let (slot, known, others) = try self.choose(unit, project, served)
            let jobs = try self.jobs(served, unit)
            unit.afterCommit {
                guard self.isUnderWay(project, question) else { return }
                for row in others { self.leave(row) }
                self.asking[project]?.slot = slot
                self.asking[project]?.jobs = jobs
                let request = CourierEdge.AskRunner(
                    place: served.place, slot: slot, instance: self.scheduler.instance, rule: served.rule,
                    pollSeconds: UInt32(self.scheduler.settings.pollPause.components.seconds), known: known,
                    jobs: UInt16(clamping: jobs), taken: self.taken[RunnerKey(project: project, slot: slot)] ?? 0)
                self.scheduler.courier.askRunner(request) { result in
                    guard self.isUnderWay(project, question) else {
                        // Nobody waits for this answer any more, but a job in it is ours.
                        if case .success(.job(let given)) = result { self.adopt(given, project, slot, served) }
                        return
                    }
                    switch result {
                    case .success(let news): self.take(news, project, question, slot, served)
                    case .failure(let failure): self.askLater(project, question, failure)
                    }
                }
            }
        }
    }

    /// The runner that may take the next job, and those that nobody needs any more: of rules that hold no longer, or
    /// of a job that is over.
    private func choose(
        _ unit: UnitOfWork, _ project: String, _ served: Served
    ) throws -> (slot: UInt64, known: GitLabRunnerWord?, others: [GitLabRunnerRow]) {
        let rows = try unit.rows.gitlabRunners(project)
        let used = try unit.rows.gitlabSlots(project)
        let mine = rows.last {
            served.isMine($0) && !leaving.contains(RunnerKey(project: project, slot: $0.slot))
                && !$0.isSpent
        }
        let others = rows.filter { $0.slot != mine?.slot && !used.contains($0.slot) }
        let next = max(rows.last?.slot ?? 0, used.max() ?? 0) + 1
        return (mine?.slot ?? next, mine?.word, others)
    }

    private func isUnderWay(_ project: String, _ question: Asking) -> Bool {
        asking[project]?.number == question.number
    }

    private func askAgain(_ project: String, _ question: Asking) {
        guard isUnderWay(project, question) else { return }
        asking[project] = nil
        ask(project)
    }

    private func askLater(_ project: String, _ question: Asking, _ failure: Failure) {
        // A lost link comes back by itself, and everybody asks anew.
        guard scheduler.courier.isReady else { return }
        note(project, failure)
        scheduler.arm(.runner(project), after: Self.pause) { _ in self.askAgain(project, question) }
    }

    /// Somebody may have to mend something; it is said once.
    private func note(_ project: String, _ failure: Failure) {
        guard troubles.updateValue(failure, forKey: project)?.text != failure.text else { return }
        scheduler.log.warning("no jobs come from GitLab", ["project": project, "why": failure.text])
    }

    private func take(
        _ news: CourierEdge.RunnerNews, _ project: String, _ question: Asking, _ slot: UInt64, _ served: Served
    ) {
        switch news {
        case .quiet:
            // The way to it is free; what its GitLab has said of it may still hold.
            if !toldByRunner.contains(project) { troubles[project] = nil }
            askAgain(project, question)
        case .trouble(let trouble):
            toldByRunner.insert(project)
            note(project, Failure(ErrorCode(rawValue: trouble.code), trouble.text))
            askAgain(project, question)
        case .registered(let word):
            isWell(project)
            keep("runner at GitLab", project, question) { unit in
                guard word.project == project else { return }
                let leave = CourierEdge.LeaveRunner(
                    place: served.place, slot: slot, instance: self.scheduler.instance, known: word)
                try unit.rows.keepGitLabRunner(.init(leave))
            }
        case .job(let given):
            isWell(project)
            keep("job of GitLab's", project, question) { try self.adopt($0, given, project, slot, served) }
        }
    }

    /// Once, however often it comes.
    private func adopt(
        _ unit: UnitOfWork, _ given: CourierEdge.GivenJob, _ project: String, _ slot: UInt64, _ served: Served
    ) throws {
        let row = GitLabJobRow(slot: slot, definition: given.definition, word: given.word)
        guard row.project == project, given.definition.project == project else { return }
        let isNew = try unit.rows.gitlabJob(row.project, row.number) == nil
        try unit.rows.insertGitLabJob(row)
        if served.isOwn { try unit.rows.spendGitLabRunner(project, slot: slot) }
        unit.afterCommit {
            self.taken[RunnerKey(project: project, slot: slot)] = row.number
            if isNew { self.follow(GitLabWork(row, isResumed: false)) }
        }
    }

    private func adopt(_ given: CourierEdge.GivenJob, _ project: String, _ slot: UInt64, _ served: Served) {
        scheduler.batch.event("job of GitLab's, late") { try self.adopt($0, given, project, slot, served) }
    }

    func isWell(_ project: String) {
        troubles[project] = nil
        toldByRunner.remove(project)
    }

    /// On disk, and then the next question says so.
    private func keep(
        _ what: String, _ project: String, _ question: Asking, _ body: @escaping (UnitOfWork) throws -> Void
    ) {
        scheduler.batch.request(what, fail: { self.askLater(project, question, $0) }) { unit in
            try body(unit)
            unit.afterCommit { self.askAgain(project, question) }
        }
    }

    // MARK: the end

    func leaveAll(_ project: String, _ done: @escaping () -> Void) {
        scheduler.batch.question("runners that leave", fail: { _ in done() }) { unit in
            let rows = try unit.rows.gitlabRunners(project)
            unit.afterCommit {
                guard !rows.isEmpty, self.scheduler.courier.isReady else { return done() }
                var left = rows.count
                var end: (() -> Void)? = done
                let finish = {
                    end?()
                    end = nil
                }
                self.scheduler.arm(.farewell(project), after: Self.farewell) { _ in finish() }
                for row in rows {
                    self.leave(row) {
                        left -= 1
                        if left == 0 { finish() }
                    }
                }
            }
        }
    }

    /// Runners of projects that want none any more, or are gone: left when courierd was away.
    func leaveUnserved() {
        guard rulesAreKnown, scheduler.courier.isReady else { return }
        scheduler.batch.question("runners of nobody", fail: { _ in }) { unit in
            let rows = try unit.rows.gitlabRunners().filter { self.served[$0.project] == nil }
            unit.afterCommit { for row in rows { self.leave(row) } }
        }
    }

    /// Tells GitLab. Where it will not hear of it, the runner stays listed there, and the log says so.
    func leave(_ row: GitLabRunnerRow, _ done: @escaping () -> Void = {}) {
        let key = RunnerKey(project: row.project, slot: row.slot)
        guard leaving.insert(key).inserted else { return done() }
        scheduler.courier.leaveRunner(row.leave) { failure in
            self.leaving.remove(key)
            self.taken[key] = nil
            if let failure {
                self.scheduler.log.warning(
                    "a runner may still be listed at GitLab",
                    ["project": row.project, "runner": "\(row.word.id)", "why": failure.text])
                // When courierd is back it is tried again.
                if failure.isLostLink { return done() }
            }
            self.scheduler.batch.event("runner left") { unit in
                try unit.rows.forgetGitLabRunner(row.project, slot: row.slot)
                unit.afterCommit { done() }
            }
        }
    }
}
