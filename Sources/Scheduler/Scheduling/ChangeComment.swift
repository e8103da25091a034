// The one comment below a change: its jobs at the newest commit, and what somebody has to do for those that wait.

import ForgeModel
import JobWire
import Store
import TrustModel
import TrustWire
import Wire

struct ChangeComment {
    private struct Line {
        let name: String
        let job: UInt64
        let state: JobState
    }

    /// Deliveries of one change that are looked at: several may be about the same commit.
    private static let deliveries = 8

    let place: CourierEdge.ForgePlace
    /// The newest.
    let delivery: UInt64
    private let commit: String
    private let branch: String
    private let lines: [Line]

    /// nil: there is nothing to say of the change.
    init?(_ rows: StoreTransaction, _ project: String, _ number: UInt64) throws {
        let all = try rows.deliveries(ofChange: number, of: project, limit: Self.deliveries)
        guard let newest = all.first, case .change(let change) = newest.word.event,
            let repository = newest.word.event.repository
        else { return nil }
        place = CourierEdge.ForgePlace(project: project, repository: repository.wire)
        delivery = newest.id
        commit = change.head.commit
        branch = change.base.branch
        var lines: [String: Line] = [:]
        // Oldest first: of two jobs of a name the later one counts.
        for row in all.reversed() {
            guard case .change(let other) = row.word.event, other.head.commit == commit else { continue }
            for case (let name, let id?, _) in try rows.deliveryJobs(row.id) {
                guard let job = try rows.job(id) else { continue }
                lines[name] = Line(name: name, job: id, state: job.state)
            }
        }
        guard !lines.isEmpty else { return nil }
        self.lines = lines.values.sorted { $0.name < $1.name }
    }

    /// Markdown. The names are of the project's own rules; nothing here is a stranger's word.
    func text(_ publicURL: String?) -> String {
        var text = "**Bulkhead** at \(commit.prefix(12))\n\n| job | state |\n|---|---|\n"
        for line in lines {
            let name = Self.escaped(line.name)
            let link = publicURL.map { "[\(name)](\($0)/jobs/\(line.job))" } ?? name
            text += "| \(link) | \(line.state.label.lowercased().replacing("_", with: " ")) |\n"
        }
        if lines.contains(where: { $0.state == .held }) {
            text += """

                This change waits until somebody who may write to the repository has looked at it, and says so here:

                    \(ApprovalCommand.text(commit, into: branch))

                """
        }
        return text
    }

    private static func escaped(_ name: String) -> String {
        name.reduce(into: "") { text, character in
            if "\\`*_{}[]<>()#+!|~@&".contains(character) { text += "\\" }
            text.append(character.isNewline ? " " : character)
        }
    }
}
