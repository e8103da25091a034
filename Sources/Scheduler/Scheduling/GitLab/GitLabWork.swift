// One job of GitLab's on its way through the house: what was said of it, and on which link.

import Store
import Wire

final class GitLabWork {
    var row: GitLabJobRow
    /// Somebody may have begun to report it before.
    var isResumed: Bool
    var isReporting = false
    var isPreparing = false
    /// Said on this link.
    var isShown = false
    var isShowing = false
    var isEnded = false
    /// Artifact rules whose files GitLab has, or that left none.
    var sent = 0
    var isSending = false
    /// Counts links: an answer on an old one is nobody's.
    var link = 0
    /// Failures in a row of what courierd is asked for it.
    var failures = 0
    /// What is to be said of its files; whether some did not come to GitLab.
    var remarks: [String] = []
    var isLost = false
    /// GitLab has ended it.
    var isCancelledThere = false

    init(_ row: GitLabJobRow, isResumed: Bool) { (self.row, self.isResumed) = (row, isResumed) }

    var key: GitLabDesk.JobKey { .init(project: row.project, number: row.number) }

    /// What was said on the old one is said again.
    func linkIsNew() {
        if isReporting { isResumed = true }
        link += 1
        (isReporting, isPreparing, isShown, isShowing, isEnded, isSending) = (false, false, false, false, false, false)
    }
}
