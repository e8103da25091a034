// ApprovalCommand: `/bulkhead approve SHA` in a comment. What a comment looks like and what it says may differ, so the
// command is the very first line and nothing else, byte for byte: nothing can come before it that quotes, hides or
// fences it.

package import ForgeModel

package enum ApprovalCommand: Equatable, Sendable {
    /// The comment is not for us.
    case none
    /// It begins like a command and is none; the text says why, for whoever wrote it.
    case mistake(String)
    case approve(ApprovalRequest)

    private static let name = Array("/bulkhead".utf8)
    private static let prefix = Array("/bulkhead approve ".utf8)

    package init(_ comment: Comment) {
        // Who edits a comment need not be its author, and a machine looks at nothing.
        guard comment.isNew, !comment.isByBot else {
            self = .none
            return
        }
        var line = comment.body.utf8.prefix { $0 != 0x0A }
        if line.last == 0x0D { line.removeLast() }
        guard line.starts(with: Self.name) else {
            self = .none
            return
        }
        let commit = line.starts(with: Self.prefix) ? Commit(String(Substring(line.dropFirst(Self.prefix.count)))) : nil
        guard let commit else {
            self = .mistake("write `/bulkhead approve` and the full name of the commit, and nothing else in that line")
            return
        }
        self = .approve(
            ApprovalRequest(
                repository: comment.repository, number: comment.number, head: commit, by: comment.author))
    }
}
