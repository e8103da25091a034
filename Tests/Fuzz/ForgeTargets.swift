// The readers of what strangers write: JSON, and the deliveries of each forge.

import Deliveries
import Documents
import ForgeModel
import GitHub
import GitLab
import Gitea

/// A document. What a shape keeps of it is what stands there in the whole of it, and what the one refuses as JSON the
/// other refuses.
func jsonDocument(_ input: ArraySlice<UInt8>) throws {
    let bytes = Array(input)
    let bounds = JSONReader.Bounds(depth: 16, values: 100_000)
    let part: SpecValue
    do throws(JSONReader.Refused) {
        part = try JSONReader.document(bytes, bounds: bounds, keeping: JSONShape(["a.b", "action", "repository.id"]))
    } catch {
        if case .twice = error { return }
        // A number that is too large for any type is only noticed by who wants it.
        if (try? JSONReader.document(bytes, bounds: bounds)) != nil {
            throw OracleError.notCanonical("a shape refuses")
        }
        throw error
    }
    guard let whole = try? JSONReader.document(bytes, bounds: bounds) else { return }
    if !isPart(part, of: whole) { throw OracleError.notCanonical("a shape keeps something else") }
}

private func isPart(_ part: SpecValue, of whole: SpecValue) -> Bool {
    guard part.place == whole.place else { return false }
    switch (part.content, whole.content) {
    case (.map(let kept), .map(let all)):
        return kept.allSatisfy { entry in
            all.filter { $0.key.utf8.elementsEqual(entry.key.utf8) }.count == 1
                && all.contains { $0.key.utf8.elementsEqual(entry.key.utf8) && isPart(entry.value, of: $0.value) }
        }
    case (.list(let kept), .list): return kept.isEmpty
    default: return part.content == whole.content
    }
}

/// An event's index, then a body.
func gitHubDelivery(_ input: ArraySlice<UInt8>) throws {
    try delivery(input, .github, ["push", "pull_request", "issue_comment", "check_run"], GitHubEvents.event)
}

func gitLabDelivery(_ input: ArraySlice<UInt8>) throws {
    let names = ["Push Hook", "Tag Push Hook", "Merge Request Hook", "Note Hook", "Job Hook", "Pipeline Hook"]
    try delivery(input, .gitlab, names, GitLabEvents.event)
}

func giteaDelivery(_ input: ArraySlice<UInt8>) throws {
    try delivery(input, .forgejo, ["push", "pull_request", "issue_comment"], GiteaEvents.event)
}

/// Whatever the body says: the repository has a name, no name has a control character, and a change goes to where it
/// comes from.
private func delivery(
    _ input: ArraySlice<UInt8>, _ forge: Forge, _ names: [String], _ read: (Delivery) throws(Refusal) -> Event
) throws {
    guard let first = input.first else { return }
    let headers = Headers([(forge.eventHeader, names[Int(first) % names.count]), ("content-type", "application/json")])
    switch try read(Delivery(verified: RawDelivery(headers: headers, body: Array(input.dropFirst())))) {
    case .push(let push):
        try check(push.repository, [push.sender])
        if push.before == nil && push.after == nil { throw OracleError.notCanonical("a push of nothing") }
    case .change(let change):
        try check(change.repository, [change.sender])
        if change.base.repository?.id != change.repository.id { throw OracleError.notCanonical("a foreign change") }
    case .comment(let comment): try check(comment.repository, [comment.author])
    case .button(let button):
        try check(button.repository, [button.sender])
        if let tag = button.tag, CheckTag(tag.text) != tag { throw OracleError.notCanonical("another tag") }
    case .hint(let hint): try check(hint.repository, [])
    case .other: break
    }
}

private func check(_ repository: Repository, _ accounts: [Account]) throws {
    for name in [repository.path] + accounts.map(\.name)
    where name.isEmpty || name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
        throw OracleError.notCanonical("a name that is none")
    }
}
