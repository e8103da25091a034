// A job's state in the words of a forge.

import ForgeModel
import JobWire
import Store
import TrustModel
import TrustWire
import Wire

extension Scheduler {
    /// nil: its delivery names no commit.
    /// `main`: looks up the project's default branch.
    func status(
        of job: JobRow, _ posted: PostedJob, _ row: DeliveryRow, main: () throws -> String
    ) throws -> CourierEdge.PostStatus? {
        guard let repository = row.word.event.repository else { return nil }
        let place = CourierEdge.ForgePlace(project: row.project, repository: repository.wire)
        let (commit, reference, cause): (String, GitReference?, String)
        var (command, number, into): (String, UInt64, String) = ("", 0, "")
        switch row.word.event {
        case .push(let push):
            (commit, reference) = (push.after, push.reference)
            cause = push.reference.tag ? " (tag)" : " (push)"
        case .change(let change):
            // One context for each branch where it is to go: what is right for one need not be for another.
            (commit, cause) = (
                change.head.commit, change.base.branch == (try main()) ? "" : " (into \(change.base.branch))"
            )
            command = ApprovalCommand.text(commit, into: change.base.branch)
            (number, into) = (change.number, change.base.branch)
            reference =
                change.head.repository == change.repository
                ? GitReference(tag: false, name: change.head.branch) : nil
        case .approval, .hint, .idle: return nil
        }
        // A change's context is what branch protection asks for; a push of the same commit has one of its own.
        return CourierEdge.PostStatus(
            place: place, commit: commit, reference: reference,
            context: Reasons.fit("bulkhead/\(posted.name)\(cause)", limit: 200),
            state: CourierEdge.StatusState(job.state), text: Self.description(of: job, command),
            url: settings.publicURL.map { "\($0)/jobs/\(job.id)" } ?? "", job: job.id, number: number, branch: into)
    }

    private static func description(of job: JobRow, _ command: String) -> String {
        switch job.state {
        case .blocked, .queued, .assigned: "job \(job.id) waits for a runner"
        case .held: "job \(job.id) waits for an approval: \(command)"
        case .running: "job \(job.id) runs"
        case .succeeded: "job \(job.id) succeeded"
        case .failed, .cancelled, .timedOut, .lost:
            Reasons.fit("job \(job.id): \(job.reason.isEmpty ? job.state.label : job.reason)", limit: 512)
        }
    }
}

extension CourierEdge.StatusState {
    init(_ state: JobState) {
        self =
            switch state {
            case .blocked, .queued, .assigned: .pending
            case .held: .held
            case .running: .running
            case .succeeded: .success
            case .failed, .timedOut: .failure
            case .cancelled: .cancelled
            case .lost: .error
            }
    }

    var isFinal: Bool {
        switch self {
        case .success, .failure, .error, .cancelled: true
        case .pending, .running, .held: false
        }
    }
}
