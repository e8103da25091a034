import Deliveries
import ForgeModel
import Testing

struct GitLabTests {
    static let ada = Account(id: 4, name: "ada")
    static let mallory = Account(id: 9, name: "mallory")
    private static let nameless = Account(id: 9, name: "")

    private static func push(_ reference: Reference, _ before: String, _ after: String) -> Event {
        .push(
            Push(
                repository: Samples.gitlab, reference: reference, before: Commit(before), after: Commit(after),
                sender: ada))
    }

    private static func change(
        _ action: Change.Action, head: Repository? = Samples.gitlabFork, author: Account = nameless,
        sender: Account = ada, isDraft: Bool = false, commit: String = Samples.head
    ) -> Event {
        .change(
            Change(
                repository: Samples.gitlab, number: 3, action: action,
                head: .init(repository: head, branch: "patch-1", commit: Commit(commit)),
                base: .init(repository: Samples.gitlab, branch: "main", commit: nil),
                author: author, sender: sender, isDraft: isDraft))
    }

    private static func note(_ author: Account = ada, isByBot: Bool = false, isNew: Bool = true) -> Event {
        .comment(
            Comment(
                repository: Samples.gitlab, number: 3, author: author, isByBot: isByBot, isNew: isNew,
                branch: "main", body: "/bulkhead approve \(Samples.head)"))
    }

    static let recorded: [(event: String, name: String, is: Event)] = [
        ("Push Hook", "push_branch", push(.branch("main"), Samples.other, Samples.head)),
        ("Push Hook", "push_deleted_branch", push(.branch("old"), Samples.other, Samples.none)),
        ("Tag Push Hook", "tag_push", push(.tag("v1.2.0"), Samples.none, Samples.head)),
        ("Merge Request Hook", "merge_request_open_fork", change(.opened, author: mallory, sender: mallory)),
        ("Merge Request Hook", "merge_request_update_code", change(.updated, head: Samples.gitlab, author: ada)),
        ("Merge Request Hook", "merge_request_update_target", change(.updated)),
        ("Merge Request Hook", "merge_request_update_title", change(.other("update"))),
        ("Merge Request Hook", "merge_request_source_gone", change(.closed, head: nil)),
        ("Merge Request Hook", "merge_request_merge", change(.merged)),
        (
            "Merge Request Hook", "merge_request_draft",
            change(.reopened, author: mallory, sender: mallory, isDraft: true)
        ),
        ("Merge Request Hook", "merge_request_no_action", change(.other("none"), author: mallory, sender: mallory)),
        (
            "Merge Request Hook", "merge_request_no_commit",
            change(.opened, author: mallory, sender: mallory, commit: "")
        ),
        ("Note Hook", "note_created", note()),
        ("Note Hook", "note_updated", note(isNew: false)),
        ("Note Hook", "note_on_commit", .other("note")),
        ("Note Hook", "note_bot", note(Account(id: 70, name: "project_15_bot_4ffca2"), isByBot: true)),
        ("Note Hook", "note_other_author", note(isNew: false)),
        // The commit's id of a Job Hook is a pipeline's number, and no commit.
        ("Job Hook", "job_pending", .hint(Hint(repository: Samples.gitlab, status: "pending"))),
        ("Pipeline Hook", "pipeline_running", .hint(Hint(repository: Samples.gitlab, status: "running"))),
        ("Confidential Note Hook", "note_confidential", .other("Confidential Note Hook")),
    ]

    @Test(arguments: recorded) func isRead(_ row: (event: String, name: String, is: Event)) throws {
        #expect(try Payload(.gitlab, row.event, row.name).read() == row.is)
    }

    @Test(arguments: ["project_1_bot", "group_22_bot_a", "service_account_group_1_x"]) func isABot(_ name: String)
        throws
    {
        #expect(try isByBot(name))
    }

    @Test(arguments: ["ada", "project_x_bot", "project_1_robot", "bot", "project_1", "_project_bot"])
    func isAPerson(_ name: String) throws {
        #expect(try !isByBot(name))
    }

    private func isByBot(_ name: String) throws -> Bool {
        let payload = try Payload(.gitlab, "Note Hook", "note_created").setting("user.username", to: name)
        guard case .comment(let comment) = try payload.read() else { throw Refusal.fact("comment") }
        return comment.isByBot
    }
}
