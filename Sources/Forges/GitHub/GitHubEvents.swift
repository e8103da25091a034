// GitHub's deliveries, as docs.github.com/webhooks describes them.

package import Deliveries
package import ForgeModel

package enum GitHubEvents {
    package static func event(_ delivery: Delivery) throws(Refusal) -> Event {
        let name = try Forge.github.event(of: delivery)
        return switch name {
        case "push": try push(delivery)
        case "pull_request": .change(try change(delivery))
        case "issue_comment": try comment(delivery)
        case "check_run": try button(delivery)
        default: .other(name)
        }
    }

    private static let common = ["repository.id", "repository.full_name", "sender.id", "sender.login"]

    private static func push(_ delivery: Delivery) throws(Refusal) -> Event {
        let facts = try Facts(delivery, common + ["ref", "before", "after"])
        guard let reference = try facts.reference("ref") else { return .other("push") }
        let (before, after) = (try facts.commit("before"), try facts.commit("after"))
        if before == nil && after == nil { throw .fact("after") }
        return .push(
            Push(
                repository: try facts.repository("repository"), reference: reference, before: before, after: after,
                sender: try facts.account("sender")))
    }

    private static let changeFacts =
        common + ["action", "number", "changes.base"]
        + ["merged", "draft", "user.id", "user.login"].map { "pull_request.\($0)" }
        + ["head", "base"].flatMap { side in
            ["sha", "ref", "repo.id", "repo.full_name"].map { "pull_request.\(side).\($0)" }
        }

    private static func change(_ delivery: Delivery) throws(Refusal) -> Change {
        let facts = try Facts(delivery, changeFacts)
        let change = Change(
            repository: try facts.repository("repository"), number: try facts.number("number"),
            action: try action(facts), head: try side("pull_request.head", facts),
            base: try side("pull_request.base", facts), author: try facts.account("pull_request.user"),
            sender: try facts.account("sender"), isDraft: try facts.flag("pull_request.draft"))
        guard change.base.repository?.id == change.repository.id else { throw .foreign }
        return change
    }

    private static func action(_ facts: Facts) throws(Refusal) -> Change.Action {
        switch try facts.word("action") {
        case "opened": .opened
        case "reopened": .reopened
        case "synchronize": .updated
        // Another base branch; titles and texts are edits as well.
        case "edited" where facts.isThere("changes.base"): .updated
        case "closed": try facts.flag("pull_request.merged") ? .merged : .closed
        case let other: .other(other)
        }
    }

    private static func side(_ path: String, _ facts: Facts) throws(Refusal) -> Change.Side {
        Change.Side(
            repository: facts.isThere("\(path).repo") ? try facts.repository("\(path).repo") : nil,
            branch: try facts.word("\(path).ref"), commit: try facts.head("\(path).sha"))
    }

    private static let commentFacts =
        common + ["action", "issue.number", "issue.pull_request"]
        + ["id", "login", "type"].map { "comment.user.\($0)" }
        + ["comment.body", "comment.performed_via_github_app"]

    private static func comment(_ delivery: Delivery) throws(Refusal) -> Event {
        let facts = try Facts(delivery, commentFacts)
        guard facts.isThere("issue.pull_request") else { return .other("issue_comment") }
        let author = try facts.account("comment.user")
        // An app that writes in a person's name is no person.
        let isByBot = try facts.word("comment.user.type") != "User" || facts.isThere("comment.performed_via_github_app")
        let sender = try facts.account("sender")
        return .comment(
            Comment(
                repository: try facts.repository("repository"), number: try facts.number("issue.number"),
                author: author, isByBot: isByBot, isNew: facts.says("created", "action") && sender == author,
                branch: nil, body: try facts.text("comment.body")))
    }

    private static func button(_ delivery: Delivery) throws(Refusal) -> Event {
        let facts = try Facts(
            delivery,
            common + ["action", "requested_action.identifier"]
                + ["head_sha", "external_id", "app.id", "app.client_id"].map { "check_run.\($0)" })
        guard try facts.word("action") == "requested_action" else { return .other("check_run") }
        return .button(
            Button(
                repository: try facts.repository("repository"),
                identifier: try facts.word("requested_action.identifier"),
                head: try facts.head("check_run.head_sha"),
                tag: facts.isThere("check_run.external_id")
                    ? CheckTag(try facts.text("check_run.external_id")) : nil,
                app: (facts.isThere("check_run.app.client_id") ? [try facts.word("check_run.app.client_id")] : [])
                    + ["\(try facts.number("check_run.app.id"))"],
                sender: try facts.account("sender")))
    }
}
