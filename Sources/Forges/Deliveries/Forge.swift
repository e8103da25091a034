// Forge: who speaks, by the headers.

/// A kind of forge.
package enum Forge: String, Sendable, CaseIterable {
    case forgejo
    case gitea
    case gitlab
    case github

    /// The header that names the event.
    package var eventHeader: String { "x-\(rawValue)-event" }

    /// Gitea and Forgejo send the headers of those from whom they come, and GitHub's, too: the first in this order is
    /// who it is.
    package init(of headers: Headers) throws(Refusal) {
        guard let forge = Forge.allCases.first(where: { !headers.all($0.eventHeader).isEmpty }) else {
            throw .header("x-github-event")
        }
        self = forge
    }

    /// The event's name, if this forge has sent it.
    package func event(of delivery: Delivery) throws(Refusal) -> String {
        guard try Forge(of: delivery.headers) == self else { throw .header(eventHeader) }
        return try delivery.headers.event(eventHeader)
    }
}
