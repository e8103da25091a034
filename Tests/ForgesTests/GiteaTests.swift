import Deliveries
import ForgeModel
import Testing

struct GiteaTests {
    static let ada = Account(id: 2, name: "ada")
    static let mallory = Account(id: 6, name: "mallory")
    private static let house = Account(id: 0, name: "gitea-actions")

    private static func push(_ reference: Reference, _ before: String, sender: Account = ada) -> Event {
        .push(
            Push(
                repository: Samples.gitea, reference: reference, before: Commit(before), after: Commit(Samples.head),
                sender: sender))
    }

    private static func change(
        _ action: Change.Action, head: Repository? = Samples.giteaFork, author: Account = mallory,
        sender: Account = ada, commit: String = Samples.head
    ) -> Event {
        .change(
            Change(
                repository: Samples.gitea, number: 5, action: action,
                head: .init(repository: head, branch: "patch-1", commit: Commit(commit)),
                base: .init(repository: Samples.gitea, branch: "main", commit: Commit(Samples.other)),
                author: author, sender: sender, isDraft: false))
    }

    private static func comment(_ author: Account = ada, isByBot: Bool = false, isNew: Bool = true) -> Event {
        .comment(
            Comment(
                repository: Samples.gitea, number: 5, author: author, isByBot: isByBot, isNew: isNew,
                branch: nil, body: "/bulkhead approve \(Samples.head)"))
    }

    static let recorded: [(event: String, name: String, is: Event)] = [
        ("push", "push_branch", push(.branch("main"), Samples.other)),
        ("push", "push_tag", push(.tag("v1.2.0"), Samples.none)),
        ("push", "push_actions", push(.branch("main"), Samples.other, sender: house)),
        ("create", "create_tag", .other("create")),
        ("pull_request", "pull_request_opened_fork", change(.opened, sender: mallory)),
        ("pull_request", "pull_request_synchronized", change(.updated, head: Samples.gitea, author: ada)),
        ("pull_request", "pull_request_fork_gone", change(.closed, head: nil, commit: "")),
        ("pull_request", "pull_request_merged", change(.merged)),
        ("pull_request", "pull_request_edited_target", change(.updated)),
        ("pull_request", "pull_request_edited_title", change(.other("edited"))),
        ("pull_request", "pull_request_label_updated", change(.other("label_updated"))),
        ("issue_comment", "issue_comment_created", comment()),
        ("issue_comment", "issue_comment_edited", comment(isNew: false)),
        ("issue_comment", "issue_comment_on_issue", .other("issue_comment")),
        ("issue_comment", "issue_comment_actions", comment(house, isByBot: true)),
    ]

    @Test(arguments: recorded, [Forge.gitea, .forgejo])
    func isRead(_ row: (event: String, name: String, is: Event), _ forge: Forge) throws {
        #expect(try Payload(forge, row.event, row.name).read() == row.is)
    }

    /// GitHub's word for it is none of Gitea's.
    @Test func anotherForgesWordIsNotTaken() throws {
        let payload = try Payload(.gitea, "pull_request", "pull_request_synchronized")
        guard case .change(let change) = try payload.replacing("synchronized", "synchronize").read() else {
            Issue.record("no change")
            return
        }
        #expect(change.action == .other("synchronize"))
    }
}
