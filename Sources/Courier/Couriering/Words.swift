// Between the words of the wire and those of calls at forges.

import ForgeCalls
import ForgeModel
import Link
import TrustModel
import TrustWire
import Wire

extension Commit {
    init(named hex: String) throws(Failure) {
        guard let commit = Commit(hex) else {
            throw Failure(.invalid, "not the whole name of a commit", place: "commit")
        }
        self = commit
    }
}

extension PostedState {
    init(_ state: CourierEdge.StatusState) {
        self =
            switch state {
            // Somebody is waited for, and no forge has a word for it.
            case .pending, .held: .pending
            case .running: .running
            case .success: .success
            case .failure: .failure
            case .error: .error
            case .cancelled: .cancelled
            }
    }
}

extension CommitStatus {
    init(_ request: CourierEdge.PostStatus) throws(Failure) {
        self.init(
            commit: try Commit(named: request.commit), reference: request.reference.map { Reference($0) },
            context: request.context, state: PostedState(request.state), description: request.text,
            link: request.url.isEmpty ? nil : request.url)
    }
}

extension CheckRun {
    /// Whoever presses the button wants the commits that this check run is of, where it says that they go.
    init(_ request: CourierEdge.PostStatus) throws(Failure) {
        let isHeld = request.state == .held
        let tag = CheckTag(job: request.job, number: request.number, branch: request.branch)
        // A branch whose name does not fit is approved by a comment, which says it.
        let hasButton = isHeld && CheckTag(tag.text) == tag
        let wish = "Approve has change #\(tag.number) run at this commit, as it goes into `\(tag.branch)`. "
        self.init(
            commit: try Commit(named: request.commit), name: request.context, externalID: tag.text,
            state: PostedState(request.state), needsApproval: isHeld, title: request.text,
            summary: isHeld
                ? (hasButton ? wish : "") + "Look at the changes first: whoever may write here has them run."
                : request.text,
            link: request.url.isEmpty ? nil : request.url,
            buttons: hasButton
                ? [
                    Button(
                        label: "Approve", description: "Run the jobs on exactly this commit",
                        identifier: ApprovalRequest.button)
                ] : [])
    }
}

extension Permission {
    var wire: ForgePermission {
        switch self {
        case .none: .none
        case .read: .read
        case .write: .write
        case .admin: .admin
        }
    }
}

extension ChangedFiles {
    /// What fits into an answer, and whether something does not.
    var fitting: (files: [String], isCut: Bool) {
        var (files, bytes): ([String], Int) = ([], 0)
        for path in paths.prefix(1024) {
            bytes += path.utf8.count + 2
            guard path.utf8.count <= 1024, bytes <= 48 << 10 else { break }
            files.append(path)
        }
        return (files, files.count < paths.count)
    }
}
