// A job of GitLab's becomes one of ours: its source comes, brokerd gives its ticket, and then it waits like any other.

import Daemon
import Link
import Posix
import Store
import Wire

extension GitLabDesk {
    /// Of what courierd is asked for a job and cannot have at present.
    static let tries = 8

    /// It is on disk.
    func follow(_ work: GitLabWork) {
        works[work.key] = work
        if let job = work.row.job { numbers[job] = work.key }
        goOn(work)
    }

    /// Whatever is to be done for it now, as far as it can be.
    func goOn(_ work: GitLabWork) {
        guard works[work.key] === work, scheduler.courier.isReady else { return }
        report(work)
        if let ending = work.row.ending { return end(work, ending, exitCode: 0, work.row.text) }
        if work.row.job == nil { return prepare(work) }
        goOnReporting(work)
    }

    private func prepare(_ work: GitLabWork) {
        guard !work.isPreparing, scheduler.relay.isReady else { return }
        guard let place = served[work.row.project]?.place else {
            // At a start the rules may not have been read yet.
            return rulesAreKnown ? refuse(work, .refused, "the project has no runner any more") : ()
        }
        work.isPreparing = true
        let request = CourierEdge.PrepareJob(place: place, definition: work.row.definition, word: work.row.word)
        scheduler.courier.prepareJob(request) { result, fds in
            var fds = fds
            guard self.works[work.key] === work, work.isPreparing else { return }
            switch result {
            case .failure(let failure): self.notPrepared(work, failure)
            case .success(let reply):
                guard let archive = fds.takeFirst() else {
                    return self.notPrepared(work, Failure(.internal, "courierd sent no archive"))
                }
                self.store(work, archive, reply)
            }
        }
    }

    private func store(
        _ work: GitLabWork, _ archive: consuming FileDescriptor, _ reply: CourierEdge.PrepareJob.Reply
    ) {
        guard scheduler.relay.isReady else { return notPrepared(work, Failure(.disconnected, "relayd is away")) }
        // No archive is removed meanwhile: it could be this one.
        scheduler.finishing += 1
        scheduler.relay.storeArchive(archive, size: reply.source.size) { result in
            switch result {
            case .success(let source) where source == reply.source && self.works[work.key] === work:
                self.make(work, source, reply.ticket)
            case .success:
                self.scheduler.finishing -= 1
                self.notPrepared(work, Failure(.internal, "relayd has stored another source than courierd has sent"))
            case .failure(let failure):
                self.scheduler.finishing -= 1
                self.notPrepared(work, failure)
            }
        }
    }

    private func make(_ work: GitLabWork, _ source: Source, _ ticket: Ticket) {
        var definition = work.row.definition
        definition.source = source
        let fail = { (failure: Failure) in
            self.scheduler.finishing -= 1
            self.notPrepared(work, failure)
        }
        scheduler.batch.request("job of GitLab's is ready", fail: fail) { [definition] unit in
            guard Scheduler.hash(definition) == ticket.definition, ticket.project == definition.project else {
                throw Failure(.conflict, "brokerd vouched for something else")
            }
            // It may have been cancelled there meanwhile.
            guard let now = try unit.rows.gitlabJob(work.row.project, work.row.number), now.ending == nil else {
                throw Failure(.conflict, "the job is over at GitLab")
            }
            try SpecCheck.check(definition)
            try unit.rows.noteUpload(source, at: unit.house)
            _ = try unit.rows.takeUp(source)
            let request = "gitlab-\(ticket.order.hex)"
            let job = try unit.rows.job(ofRequest: request) ?? self.scheduler.insert(unit, request, definition, ticket)
            try unit.rows.setGitLabJob(work.row.project, work.row.number, job: job)
            let row = GitLabJobRow(slot: now.slot, definition: now.definition, word: now.word, job: job)
            unit.afterCommit {
                self.scheduler.finishing -= 1
                (work.row, work.isPreparing, work.failures) = (row, false, 0)
                self.numbers[job] = work.key
                self.goOn(work)
            }
        }
    }

    private func notPrepared(_ work: GitLabWork, _ failure: Failure) {
        guard works[work.key] === work else { return }
        work.isPreparing = false
        // It has ended meanwhile.
        if work.row.ending != nil || work.row.job != nil { return goOn(work) }
        // courierd has enough to do: nobody is to blame.
        if failure.errorCode != .limitReached && !failure.isLostLink { work.failures += 1 }
        let isLater = failure.errorCode.retry == .later && work.failures < Self.tries
        scheduler.log.warning(
            "a job of GitLab's waits", ["project": work.row.project, "job": "\(work.row.number)", "why": failure.text])
        if isLater {
            // A link that is lost begins everything anew when it is back.
            guard scheduler.courier.isReady else { return }
            return scheduler.arm(
                .prepareJob(work.key.project, work.key.number), after: .seconds(5)
            ) { _ in
                self.goOn(work)
            }
        }
        let isForge = [.forgeRefused, .forgeUnavailable, .notFound, .deadlineExceeded].contains(failure.errorCode)
        refuse(work, isForge ? .unreachable : .refused, failure.text)
    }

    /// It ends before it has begun here.
    func refuse(_ work: GitLabWork, _ end: CourierEdge.JobEndWord, _ text: String) {
        guard work.row.job == nil, work.row.ending == nil else { return }
        scheduler.batch.event("job of GitLab's is refused") { unit in
            try unit.rows.endGitLabJob(work.row.project, work.row.number, end, Reasons.fit(text, limit: 512))
            guard let row = try unit.rows.gitlabJob(work.row.project, work.row.number) else { return }
            // It became one of ours at this very moment.
            if end == .cancelledThere, let job = row.job {
                _ = try self.scheduler.cancel(unit, job: job, graceSeconds: 0)
            }
            unit.afterCommit {
                work.row = row
                self.goOn(work)
            }
        }
    }
}
