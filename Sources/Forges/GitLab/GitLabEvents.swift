// GitLab's deliveries, as its page on webhook events describes them.

package import Deliveries
package import ForgeModel

package enum GitLabEvents {
    package static func event(_ delivery: Delivery) throws(Refusal) -> Event {
        let name = try Forge.gitlab.event(of: delivery)
        return switch name {
        case "Push Hook": try push(delivery, "push")
        case "Tag Push Hook": try push(delivery, "tag_push")
        case "Merge Request Hook": .change(try change(delivery))
        case "Note Hook": try note(delivery)
        case "Job Hook": .hint(try hint(delivery, "build", status: "build_status"))
        case "Pipeline Hook": .hint(try hint(delivery, "pipeline", status: "object_attributes.status"))
        default: .other(name)
        }
    }

    private static let common = ["object_kind", "project.id", "project.path_with_namespace"]
    private static let user = ["user.id", "user.username"]

    /// The header is not signed: the document has to be the one that it names.
    private static func facts(
        _ delivery: Delivery, _ kind: String, _ paths: [String]
    ) throws(Refusal) -> (Facts, Repository) {
        let facts = try Facts(delivery, common + paths)
        guard try facts.word("object_kind") == kind else { throw .fact("object_kind") }
        return (facts, try facts.repository("project", named: "path_with_namespace"))
    }

    private static func push(_ delivery: Delivery, _ kind: String) throws(Refusal) -> Event {
        let (facts, repository) = try facts(
            delivery, kind, ["ref", "before", "after", "project_id", "user_id", "user_username"])
        guard try facts.number("project_id") == repository.id else { throw .foreign }
        guard let reference = try facts.reference("ref") else { return .other(kind) }
        let (before, after) = (try facts.commit("before"), try facts.commit("after"))
        if before == nil && after == nil { throw .fact("after") }
        let sender = Account(id: try facts.number("user_id"), name: try facts.word("user_username"))
        return .push(
            Push(repository: repository, reference: reference, before: before, after: after, sender: sender))
    }

    private static let changeFacts =
        user + ["changes.target_branch"]
        + [
            "action", "iid", "author_id", "draft", "work_in_progress", "oldrev", "last_commit.id",
            "source_project_id", "source_branch", "source.path_with_namespace", "target_project_id", "target_branch",
        ].map { "object_attributes.\($0)" }

    private static func change(_ delivery: Delivery) throws(Refusal) -> Change {
        let (facts, repository) = try facts(delivery, "merge_request", changeFacts)
        func path(_ name: String) -> String { "object_attributes.\(name)" }
        guard try facts.number(path("target_project_id")) == repository.id else { throw .foreign }
        let source =
            facts.isThere(path("source_project_id")) && facts.isThere(path("source"))
            ? Repository(
                id: try facts.number(path("source_project_id")),
                path: try facts.word(path("source.path_with_namespace"))) : nil
        // The second is the older word.
        let isDraft = try [facts.flag(path("draft")), facts.flag(path("work_in_progress"))].contains(true)
        let sender = try facts.account("user", named: "username")
        let author = try facts.number(path("author_id"))
        return Change(
            repository: repository, number: try facts.number(path("iid")), action: try action(facts),
            head: Change.Side(
                repository: source, branch: try facts.word(path("source_branch")),
                commit: facts.isThere(path("last_commit")) ? try facts.head(path("last_commit.id")) : nil),
            base: Change.Side(repository: repository, branch: try facts.word(path("target_branch")), commit: nil),
            // Only whoever acts has a name here.
            author: author == sender.id ? sender : Account(id: author, name: ""), sender: sender,
            isDraft: isDraft)
    }

    private static func action(_ facts: Facts) throws(Refusal) -> Change.Action {
        // Some have no action, and say that something is to be looked at again.
        guard facts.isThere("object_attributes.action") else { return .other("none") }
        switch try facts.word("object_attributes.action") {
        case "open": return .opened
        case "reopen": return .reopened
        case "close": return .closed
        case "merge": return .merged
        // The old commit is only there when there are new ones.
        case "update" where facts.isThere("object_attributes.oldrev") || facts.isThere("changes.target_branch"):
            return .updated
        case let other: return .other(other)
        }
    }

    private static let noteFacts =
        user + ["event_type"] + ["iid", "target_project_id", "target_branch"].map { "merge_request.\($0)" }
        + ["noteable_type", "note", "action", "author_id", "system"].map { "object_attributes.\($0)" }

    private static func note(_ delivery: Delivery) throws(Refusal) -> Event {
        let (facts, repository) = try facts(delivery, "note", noteFacts)
        guard try facts.word("object_attributes.noteable_type") == "MergeRequest",
            !facts.says("confidential_note", "event_type")
        else { return .other("note") }
        guard try facts.number("merge_request.target_project_id") == repository.id else { throw .foreign }
        let author = try facts.account("user", named: "username")
        // Before GitLab 16.11 nothing says whether a note is new; then none is.
        let writer = try facts.number("object_attributes.author_id")
        let isNew = facts.says("create", "object_attributes.action") && writer == author.id
        let isBySystem = try facts.flag("object_attributes.system")
        return .comment(
            Comment(
                repository: repository, number: try facts.number("merge_request.iid"), author: author,
                isByBot: isBySystem || isBot(author.name), isNew: isNew,
                branch: try facts.word("merge_request.target_branch"), body: try facts.text("object_attributes.note")))
    }

    /// The accounts behind access tokens: `project_<id>_bot_<random>`, `group_<id>_bot_<random>`, and those of
    /// services, `service_account_...`. No field says so.
    private static func isBot(_ name: String) -> Bool {
        let words = name.split(separator: "_")
        if words.starts(with: ["service", "account"]) { return true }
        return words.count >= 3 && ["project", "group"].contains(words[0]) && words[2] == "bot"
            && words[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Of a job or a pipeline. Its commit's id is a pipeline's number, so nobody asks for it.
    private static func hint(_ delivery: Delivery, _ kind: String, status: String) throws(Refusal) -> Hint {
        let (facts, repository) = try facts(delivery, kind, [status])
        return Hint(repository: repository, status: try facts.word(status))
    }
}
