// Gitea's and Forgejo's deliveries: much like GitHub's, and not the same.

package import Deliveries
package import ForgeModel

package enum GiteaEvents {
    package static func event(_ delivery: Delivery) throws(Refusal) -> Event {
        let isForgejo = try Forge(of: delivery.headers) == .forgejo
        let name = try (isForgejo ? Forge.forgejo : .gitea).event(of: delivery)
        return switch name {
        case "push": try push(delivery)
        case "pull_request": .change(try change(delivery))
        case "issue_comment": try comment(delivery)
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
                sender: try account("sender", facts)))
    }

    private static let changeFacts =
        common + ["action", "number", "changes.ref"]
        + ["merged", "draft", "user.id", "user.login"].map { "pull_request.\($0)" }
        + ["head", "base"].flatMap { side in
            ["sha", "ref", "repo.id", "repo.full_name"].map { "pull_request.\(side).\($0)" }
        }

    private static func change(_ delivery: Delivery) throws(Refusal) -> Change {
        let facts = try Facts(delivery, changeFacts)
        let change = Change(
            repository: try facts.repository("repository"), number: try facts.number("number"),
            action: try action(facts), head: try side("pull_request.head", facts),
            base: try side("pull_request.base", facts), author: try account("pull_request.user", facts),
            sender: try account("sender", facts), isDraft: try facts.flag("pull_request.draft"))
        guard change.base.repository?.id == change.repository.id else { throw .foreign }
        return change
    }

    private static func action(_ facts: Facts) throws(Refusal) -> Change.Action {
        switch try facts.word("action") {
        case "opened": .opened
        case "reopened": .reopened
        case "synchronized": .updated
        case "edited" where facts.isThere("changes.ref"): .updated
        case "closed": try facts.flag("pull_request.merged") ? .merged : .closed
        case let other: .other(other)
        }
    }

    private static func side(_ path: String, _ facts: Facts) throws(Refusal) -> Change.Side {
        // A branch that is gone has no commit; only a head can be gone.
        let isGone = path == "pull_request.head" && facts.says("", "\(path).sha")
        return Change.Side(
            repository: facts.isThere("\(path).repo") ? try facts.repository("\(path).repo") : nil,
            branch: try facts.word("\(path).ref"), commit: isGone ? nil : try facts.head("\(path).sha"))
    }

    private static func comment(_ delivery: Delivery) throws(Refusal) -> Event {
        let facts = try Facts(
            delivery,
            common + ["action", "is_pull", "issue.number", "comment.user.id", "comment.user.login", "comment.body"])
        guard try facts.flag("is_pull") else { return .other("issue_comment") }
        let author = try account("comment.user", facts)
        let sender = try account("sender", facts)
        return .comment(
            Comment(
                repository: try facts.repository("repository"), number: try facts.number("issue.number"),
                author: author, isByBot: author.id == 0, isNew: facts.says("created", "action") && sender == author,
                branch: nil, body: try facts.text("comment.body")))
    }

    /// The house's own accounts (actions, ghosts) have numbers below zero; here they all have none.
    private static func account(_ path: String, _ facts: Facts) throws(Refusal) -> Account {
        facts.isNegative("\(path).id")
            ? Account(id: 0, name: try facts.word("\(path).login")) : try facts.account(path)
    }
}
