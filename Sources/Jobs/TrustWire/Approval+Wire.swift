// Approval+Wire: brokerd's words on approvals, as TrustModel judges them. brokerd and schedulerd read them alike.

package import ForgeModel
package import TrustModel
package import Wire

extension Approval {
    /// nil: not one of ours.
    package init?(_ word: ApprovalWord) {
        guard let head = Commit(word.head), let base = Commit(word.base) else { return nil }
        self.init(
            project: word.project, number: word.number, head: head, base: base, branch: word.branch,
            revision: PolicyRevision(digest: word.revision.array), by: Account(id: 0, name: word.by))
    }
}

extension Permission {
    package init(_ permission: ForgePermission) {
        self =
            switch permission {
            case .none: .none
            case .read: .read
            case .write: .write
            case .admin: .admin
            }
    }
}
