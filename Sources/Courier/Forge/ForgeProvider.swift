// ForgeProvider: what a forge's own folder has to say: how each request is written, and what an answer means. Pure: no
// socket, no token, no state. ForgeWork asks in the right order.

package import Exchange
package import ForgeModel

/// A part of a long list.
package struct Page<Element: Sendable>: Sendable {
    package let items: [Element]
    package let hasNext: Bool

    package init(_ items: [Element], hasNext: Bool) {
        self.items = items
        self.hasNext = hasNext
    }
}

package struct FoundComment: Equatable, Sendable {
    package let id: UInt64
    /// The account's number.
    package let author: UInt64
    package let body: String

    package init(id: UInt64, author: UInt64, body: String) {
        self.id = id
        self.author = author
        self.body = body
    }
}

/// Readers of answers are asked for those with a status of 200 to 299 only, unless they say otherwise.
package protocol ForgeProvider: Sendable {
    /// How many files a list may have before the forge cuts it.
    var mostFiles: Int { get }
    /// The same of a comparison of two commits.
    var mostCompared: Int { get }
    /// All servers that its requests go to, and to which answers may lead.
    var origins: Set<Origin> { get }

    /// What our account has to be in a repository, to be told what others may do there.
    var permissionToAsk: Permission { get }
    /// What gives a token what it lacks, in the words of the forge's page of tokens; nil where that does not.
    func scope(for lack: ForgeLack) -> String?

    func askRepository(_ repository: Repository) throws(ForgeProblem) -> ExchangeRequest
    func readRepository(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Repository

    func askAccount() throws(ForgeProblem) -> ExchangeRequest
    func readAccount(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Account

    func post(_ status: CommitStatus, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest
    /// Answers of any status.
    func checkPosted(_ answer: ExchangeAnswer, _ status: CommitStatus) throws(ForgeProblem)

    /// The state of a job at this commit, which does not exist.
    func tryPosting(at commit: Commit, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest

    func askComments(_ repository: Repository, change: UInt64, page: Int) throws(ForgeProblem) -> ExchangeRequest
    func readComments(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<FoundComment>
    /// Writes a new comment, or `id` anew.
    func write(_ comment: RollingComment, over id: UInt64?, in repository: Repository)
        throws(ForgeProblem) -> ExchangeRequest

    func askPermission(_ repository: Repository, _ account: Account) throws(ForgeProblem) -> ExchangeRequest
    /// Also an answer of 404: who is nobody there may do nothing.
    func readPermission(_ answer: ExchangeAnswer, of account: Account) throws(ForgeProblem) -> Permission

    func askChange(_ repository: Repository, _ number: UInt64) throws(ForgeProblem) -> ExchangeRequest
    /// `foreign` if it is to go to another repository.
    static func change(_ fields: Fields, of repository: Repository) throws(ForgeProblem) -> ChangeState

    func askFiles(_ repository: Repository, change: UInt64, page: Int) throws(ForgeProblem) -> ExchangeRequest
    func readFiles(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Page<[String]>

    /// What `head` has that `base` has not.
    func askComparison(_ repository: Repository, _ base: Commit, _ head: Commit) throws(ForgeProblem) -> ExchangeRequest
    func readComparison(_ answer: ExchangeAnswer, from base: Commit) throws(ForgeProblem) -> ChangedFiles

    func askBranch(_ repository: Repository, _ name: String) throws(ForgeProblem) -> ExchangeRequest
    func readBranch(_ answer: ExchangeAnswer, _ name: String) throws(ForgeProblem) -> Commit

    /// A page of the branches, or of the tags.
    func askReferences(_ repository: Repository, areTags: Bool, page: Int) throws(ForgeProblem) -> ExchangeRequest
    func readReferences(_ answer: ExchangeAnswer, areTags: Bool) throws(ForgeProblem) -> Page<(Reference, Commit)>

    /// A page of the changes in any state, those first to which something happened last.
    func askTouched(_ repository: Repository, page: Int) throws(ForgeProblem) -> ExchangeRequest

    func askFile(_ repository: Repository, _ path: String, _ commit: Commit) throws(ForgeProblem) -> ExchangeRequest
    func readFile(_ answer: ExchangeAnswer, _ commit: Commit) throws(ForgeProblem) -> [UInt8]

    func askArchive(_ repository: Repository, _ commit: Commit) throws(ForgeProblem) -> ExchangeRequest
}

extension ForgeProvider {
    package func tryPosting(at commit: Commit, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        try tryStatus(at: commit, in: repository)
    }

    package func tryStatus(at commit: Commit, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest {
        try post(
            CommitStatus(commit: commit, context: "bulkhead", state: .pending, description: ""), in: repository)
    }

    package func checkPosted(_ answer: ExchangeAnswer, _ status: CommitStatus) throws(ForgeProblem) {
        try ForgeProblem.check(answer)
    }
}
