// What a forge is told: the state of each job that it has caused, and one comment below each change. Nothing is lost:
// what was not posted is what the rows say differently. A repeated status is the same status.

import Daemon
import Link
import ProjectModel
import Store
import TrustModel
import Wire

extension Scheduler {
    /// Nothing more is told of it.
    static let isToldNothing: UInt8 = 255
    private static let pageOfUnposted = 1_000

    /// At a start: what an earlier life has not posted.
    func takeUpPostings() {
        batch.question("unposted", fail: { self.log.error("postings are not taken up", ["why": $0.text]) }) { unit in
            var last: PostedJob?
            repeat {
                let page = try unit.rows.unposted(after: last, limit: Self.pageOfUnposted)
                for (job, project) in page {
                    self.followed[job.job] = project
                    self.lanes[project, default: PostingLane()].add(.status(job.job))
                }
                last = page.count == Self.pageOfUnposted ? page.last?.job : nil
            } while last != nil
            for comment in try unit.rows.dueComments() {
                self.lanes[comment.project, default: PostingLane()].add(.comment(comment.number))
            }
            unit.afterCommit { self.postAll() }
        }
    }

    /// A job of a delivery was made or released.
    func follow(_ job: UInt64, of project: String) {
        followed[job] = project
        post(.status(job), project)
    }

    /// Of all jobs, after each commit.
    func notePostings(_ changes: [JobChange]) {
        if followed.isEmpty { return }
        for change in changes {
            if let project = followed[change.job] { post(.status(change.job), project) }
        }
    }

    private func post(_ posting: Posting, _ project: String) {
        lanes[project, default: PostingLane()].add(posting)
        postNext(project)
    }

    func postAll() {
        for project in lanes.keys { postNext(project) }
    }

    func postNext(_ project: String) {
        guard courier.isReady, forgeTroubles[project]?.isPaused != true, let posting = lanes[project]?.begin() else {
            return
        }
        let fail = { (failure: Failure) in self.hasPosted(project, posting, failure) }
        switch posting {
        case .status(let job): batch.question("status", fail: fail) { try self.postStatus($0, job, project) }
        case .comment(let number):
            batch.question("comment", fail: fail) { try self.postComment($0, number, project) }
        }
    }

    /// The next one's turn; after a failure that may pass, this one's again.
    private func hasPosted(_ project: String, _ posting: Posting, _ failure: Failure?) {
        lanes[project]?.end()
        if let failure {
            lanes[project]?.add(posting)
            // A link that is lost comes back by itself, and then all is posted; brokerd's absence is told by courierd.
            return courier.isReady ? rest(project, failure) : ()
        }
        if lanes[project]?.isEmpty == true { lanes[project] = nil }
        postNext(project)
    }

    // MARK: statuses

    private func postStatus(_ unit: UnitOfWork, _ id: UInt64, _ project: String) throws {
        guard let posted = try unit.rows.posted(id), posted.posted != Self.isToldNothing,
            let job = try unit.rows.job(id), let row = try unit.rows.delivery(posted.delivery),
            let status = try status(of: job, posted, row, main: { try Self.defaultBranch(unit, row.project) })
        else {
            followed[id] = nil
            return unit.afterCommit { self.hasPosted(project, .status(id), nil) }
        }
        if status.state.rawValue == posted.posted {
            return unit.afterCommit { self.hasPosted(project, .status(id), nil) }
        }
        unit.afterCommit {
            self.courier.postStatus(status) { failure in
                if let failure, failure.errorCode.retry == .later {
                    return self.hasPosted(project, .status(id), failure)
                }
                self.notePosted(id, status.state, row, failure)
            }
        }
    }

    /// Empty: the project is gone, and none counts as it.
    private static func defaultBranch(_ unit: UnitOfWork, _ project: String) throws -> String {
        guard let row = try unit.rows.project(project) else { return "" }
        return try StoredProject.read(row.document).rules.defaultBranch
    }

    private func notePosted(
        _ id: UInt64, _ state: CourierEdge.StatusState, _ row: DeliveryRow, _ failure: Failure?
    ) {
        if failure == nil { forgeTroubles[row.project]?.end() }
        if let failure {
            log.warning("a status is not posted", ["job": "\(id)", "project": row.project, "why": failure.text])
        }
        batch.event("posted") { unit in
            // One that was refused is not said again; the next may be taken, when somebody has mended what was wrong.
            try unit.rows.setPosted(id, state.rawValue)
            if let failure { try self.addRemark(unit, row.id, "its forge takes no status: \(failure.text)") }
            if row.number != 0 && failure == nil { try unit.rows.markComment(row.project, number: row.number) }
            unit.afterCommit {
                if state.isFinal { self.followed[id] = nil }
                if row.number != 0 && failure == nil { self.commentLater(row.project, row.number) }
                self.hasPosted(row.project, .status(id), nil)
            }
        }
    }

    // MARK: comments

    /// Nothing is left of the change that could be told.
    private func forget(_ due: DueComment) {
        batch.event("nothing to comment") { unit in
            try unit.rows.forgetComment(due)
            unit.afterCommit { self.hasPosted(due.project, .comment(due.number), nil) }
        }
    }

    private func commentLater(_ project: String, _ number: UInt64) {
        if isArmed(.comment(project, number)) { return }
        arm(.comment(project, number), after: settings.commentPause) { $0.post(.comment(number), project) }
    }

    private func postComment(_ unit: UnitOfWork, _ number: UInt64, _ project: String) throws {
        guard let due = try unit.rows.dueComment(project, number: number) else {
            return unit.afterCommit { self.hasPosted(project, .comment(number), nil) }
        }
        guard let comment = try ChangeComment(unit.rows, project, number) else {
            return unit.afterCommit { self.forget(due) }
        }
        unit.afterCommit {
            let request = CourierEdge.PostComment(
                place: comment.place, number: number, marker: "changes", text: comment.text(self.settings.publicURL))
            self.courier.postComment(request) { failure in
                if let failure, failure.errorCode.retry == .later {
                    return self.hasPosted(project, .comment(number), failure)
                }
                if let failure {
                    self.log.warning(
                        "a comment is not posted",
                        ["project": project, "change": "\(number)", "why": failure.text])
                }
                self.batch.event("commented") { unit in
                    try unit.rows.forgetComment(due)
                    if let failure {
                        try self.addRemark(unit, comment.delivery, "its forge takes no comment: \(failure.text)")
                    }
                    let isDueAgain = try unit.rows.dueComment(project, number: number) != nil
                    unit.afterCommit {
                        if isDueAgain { self.commentLater(project, number) }
                        self.hasPosted(project, .comment(number), nil)
                    }
                }
            }
        }
    }
}
