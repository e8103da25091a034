// ApprovalCommand: `/bulkhead approve SHA`, or `/bulkhead approve SHA into BRANCH`, in a comment. What a comment looks
// like and what it says may differ, so the command is the very first line and nothing else, byte for byte: nothing can
// come before it that quotes, hides or fences it.

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
        guard line.starts(with: Self.prefix), let (commit, branch) = Self.read(line.dropFirst(Self.prefix.count)) else {
            self = .mistake(
                "write `/bulkhead approve` and the full name of the commit, with `into` and the branch behind it if "
                    + "you like, and nothing else in that line")
            return
        }
        self = .approve(
            ApprovalRequest(
                repository: comment.repository, number: comment.number, head: commit, branch: branch ?? comment.branch,
                by: comment.author))
    }

    private static func read(_ words: Substring.UTF8View) -> (Commit, branch: String?)? {
        let parts = words.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard let commit = parts.first.flatMap({ Commit(String(Substring($0))) }) else { return nil }
        if parts.count == 1 { return (commit, nil) }
        // No branch has a space or a control character in its name; what looks like a space is a letter of it.
        guard parts.count == 3, parts[1].elementsEqual("into".utf8), !parts[2].isEmpty,
            parts[2].allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return nil }
        return (commit, String(Substring(parts[2])))
    }

    /// What is to be written to approve these commits into this branch.
    package static func text(_ commit: String, into branch: String) -> String {
        let command = "/bulkhead approve \(commit)"
        return branch.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F } ? "\(command) into \(branch)" : command
    }
}
