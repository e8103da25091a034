// CheckTag: what a check run of ours is about. It stands in the check run and comes back, signed by the forge, when
// somebody presses its button.

package struct CheckTag: Equatable, Sendable {
    package let job: UInt64
    /// Of the change; 0: of none.
    package let number: UInt64
    /// Where the change is to go.
    package let branch: String

    package init(job: UInt64, number: UInt64, branch: String) {
        self.job = job
        self.number = number
        self.branch = branch
    }

    /// Bytes that a forge keeps of it.
    private static let limit = 255

    /// `17 42 main`; the branch is left out where it does not fit.
    package var text: String {
        let whole = "\(job) \(number) \(branch)"
        return number > 0 && !branch.isEmpty && whole.utf8.count <= Self.limit ? whole : "\(job)"
    }

    /// nil: it names no change.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let job = UInt64(parts[0]), let number = UInt64(parts[1]), number > 0,
            !parts[2].isEmpty, text.utf8.count <= Self.limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        self.init(job: job, number: number, branch: String(parts[2]))
    }
}
