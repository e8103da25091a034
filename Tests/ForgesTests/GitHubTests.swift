import Deliveries
import ForgeModel
import Testing

struct GitHubTests {
    static let ada = Account(id: 11, name: "ada")
    static let mallory = Account(id: 66, name: "mallory")

    private static func push(_ reference: Reference, _ before: String, _ after: String) -> Event {
        .push(
            Push(
                repository: Samples.github, reference: reference, before: Commit(before), after: Commit(after),
                sender: ada))
    }

    private static func change(
        _ action: Change.Action, head: Repository? = Samples.githubFork, author: Account = mallory,
        sender: Account = ada, isDraft: Bool = false
    ) -> Event {
        .change(
            Change(
                repository: Samples.github, number: 42, action: action,
                head: .init(repository: head, branch: "patch-1", commit: Commit(Samples.head)),
                base: .init(repository: Samples.github, branch: "main", commit: Commit(Samples.other)),
                author: author, sender: sender, isDraft: isDraft))
    }

    private static func comment(_ author: Account = ada, isByBot: Bool = false, isNew: Bool = true) -> Event {
        .comment(
            Comment(
                repository: Samples.github, number: 42, author: author, isByBot: isByBot, isNew: isNew,
                branch: nil, body: "/bulkhead approve \(Samples.head)"))
    }

    static let recorded: [(event: String, name: String, is: Event)] = [
        ("push", "push_branch", push(.branch("main"), Samples.other, Samples.head)),
        ("push", "push_new_branch", push(.branch("feature/über-hull"), Samples.none, Samples.head)),
        ("push", "push_deleted_branch", push(.branch("old"), Samples.other, Samples.none)),
        ("push", "push_tag", push(.tag("v1.2.0"), Samples.none, Samples.head)),
        ("ping", "ping", .other("ping")),
        ("pull_request", "pull_request_opened_fork", change(.opened, sender: mallory)),
        (
            "pull_request", "pull_request_opened_draft",
            change(.opened, head: Samples.github, author: ada, isDraft: true)
        ),
        ("pull_request", "pull_request_reopened", change(.reopened, sender: mallory)),
        ("pull_request", "pull_request_synchronize", change(.updated, head: Samples.github, author: ada)),
        ("pull_request", "pull_request_fork_gone", change(.closed, head: nil)),
        ("pull_request", "pull_request_merged", change(.merged)),
        ("pull_request", "pull_request_edited_base", change(.updated)),
        ("pull_request", "pull_request_edited_title", change(.other("edited"))),
        ("pull_request", "pull_request_labeled", change(.other("labeled"))),
        ("issue_comment", "issue_comment_created", comment()),
        ("issue_comment", "issue_comment_edited", comment(isNew: false)),
        ("issue_comment", "issue_comment_on_issue", .other("issue_comment")),
        ("issue_comment", "issue_comment_bot", comment(Account(id: 500, name: "helper[bot]"), isByBot: true)),
        ("issue_comment", "issue_comment_via_app", comment(isByBot: true)),
        ("issue_comment", "issue_comment_other_sender", comment(isNew: false)),
        ("check_run", "check_run_completed", .other("check_run")),
    ]

    @Test(arguments: recorded) func isRead(_ row: (event: String, name: String, is: Event)) throws {
        #expect(try Payload(.github, row.event, row.name).read() == row.is)
    }

    @Test func aButtonIsRead() throws {
        let button = Button(
            repository: Samples.github, identifier: "approve", head: try Samples.commit(Samples.head), tag: nil,
            app: ["3"],
            sender: Self.ada)
        let payload = try Payload(.github, "check_run", "check_run_requested_action")
        #expect(try payload.read() == .button(button))
        #expect(try payload.setting("check_run.external_id", to: nil).read() == .button(button))
    }

    /// The change and its branch are what our check run says, which comes back signed.
    @Test func aButtonSaysWhatItIsOf() throws {
        let payload = try Payload(.github, "check_run", "check_run_requested_action")
        func tag(_ text: String) throws -> CheckTag? {
            guard case .button(let button) = try payload.setting("check_run.external_id", to: text).read() else {
                return nil
            }
            return button.tag
        }
        #expect(try tag("17 42 release/1 0") == CheckTag(job: 17, number: 42, branch: "release/1 0"))
        for text in [
            "", "17", "17 42", "17 42 ", "17 0 main", "17 -1 main", "x 42 main", " 17 42 main", "17 42 ma\nin",
        ] {
            #expect(try tag(text) == nil, "\(text)")
        }
    }

    @Test func aTagIsItsText() {
        for tag in [CheckTag(job: 1, number: 2, branch: "main"), CheckTag(job: .max, number: .max, branch: "a b  c")] {
            #expect(CheckTag(tag.text) == tag)
        }
        #expect(CheckTag(job: 17, number: 0, branch: "").text == "17")
        // GitHub keeps no more: then it names the commits alone.
        #expect(CheckTag(job: 17, number: 42, branch: String(repeating: "b", count: 250)).text == "17")
    }

    /// What the forge says of itself does not count: a MEMBER's fork is a fork, and so is one that says it is none.
    @Test func aForkIsAnotherRepository() throws {
        func isFork(_ name: String, _ path: String? = nil, _ value: Any? = nil) throws -> Bool? {
            var payload = try Payload(.github, "pull_request", name)
            if let path { payload = try payload.setting(path, to: value) }
            guard case .change(let change) = try payload.read() else { return nil }
            return change.isFork
        }
        #expect(try isFork("pull_request_opened_fork") == true)
        #expect(try isFork("pull_request_opened_fork", "pull_request.head.repo.fork", false) == true)
        #expect(try isFork("pull_request_opened_fork", "pull_request.head.repo.full_name", "harbour/ship") == true)
        #expect(try isFork("pull_request_fork_gone") == true)
        #expect(try isFork("pull_request_synchronize", "pull_request.head.repo", nil) == true)
        #expect(try isFork("pull_request_synchronize") == false)
        #expect(try isFork("pull_request_synchronize", "pull_request.author_association", "NONE") == false)
    }
}
