// Finding: one thing that the way to the first green status needs, and the command that mends it.

import Foundation

package struct Finding: Encodable, Equatable, Sendable {
    /// In the order of the way.
    package enum Check: String, Encodable, Sendable {
        case engine, api, token, daemons, drain, userns, key, project, image, secret, forge, webhook, refused, green
        case webhookKey = "webhook-key"
        case forgeToken = "forge-token"
        case appKey = "app-key"
    }

    package enum State: String, Encodable, Sendable {
        case ok
        case missing
        /// Not to be told from here, or not yet.
        case unknown
    }

    package let check: Check
    package let project: String?
    package let state: State
    package let text: String
    /// A command, or the page to open.
    package let mend: String?

    package init(_ check: Check, _ state: State, project: String? = nil, _ text: String, mend: String? = nil) {
        self.check = check
        self.project = project
        self.state = state
        self.text = text
        self.mend = mend
    }

    /// What a person reads; `mark` is the state as it is shown.
    package func lines(mark: String) -> [String] {
        let subject = check.rawValue.padding(toLength: 11, withPad: " ", startingAt: 0)
        let place = project.map { "\($0): " } ?? ""
        return ["\(mark)  \(subject)  \(Terminal.printable(place + text))"]
            + (mend.map { ["\(String(repeating: " ", count: 9))-> \(Terminal.printable($0))"] } ?? [])
    }
}
