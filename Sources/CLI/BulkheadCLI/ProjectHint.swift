// ProjectHint: a project is made by naming it, so a slip of the finger makes another one in silence. Here is noticed
// that a name has no secrets, and which names are nearly the same.

package enum ProjectHint {
    /// Those of `known` that are a slip or two away from `name`, the closest first.
    package static func close(to name: String, among known: some Sequence<String>) -> [String] {
        let limit = name.count < 4 ? 1 : 2
        return Set(known).subtracting([name])
            .map { (distance: distance(Array($0.utf8), Array(name.utf8)), name: $0) }
            .filter { $0.distance <= limit }
            .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .map(\.name)
    }

    /// `; did you mean 'web'?`, or nothing.
    package static func question(_ name: String, among known: some Sequence<String>) -> String {
        let names = close(to: name, among: known).prefix(3).map { "'\(Terminal.printable($0))'" }
        return names.isEmpty ? "" : "; did you mean \(names.joined(separator: " or "))?"
    }

    /// Letters to change, add or leave out (Levenshtein).
    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var row = Array(0...second.count)
        for (index, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[second.count]
    }
}

extension APIClient {
    /// Those with rules, and those of the newest jobs.
    private func projects() async throws -> Set<String> {
        let page = try decoded(JobPage.self, try await send(try request("GET", "/jobs", query: ["limit": "50"])))
        return Set(page.jobs.compactMap(\.project)).union(try await ProjectDesk(client: self).all().map(\.name))
    }

    /// `; did you mean 'web'?`, or nothing.
    func hint(for project: String) async throws -> String {
        ProjectHint.question(project, among: try await projects())
    }

    func noProject(_ name: String) async throws -> CommandFailure {
        let hint = try await hint(for: name)
        return CommandFailure("there is no project '\(name)', or you have no role in it\(hint)", exit: .usage)
    }

    /// Throws if nobody knows the project, and its name is nearly that of another.
    func checkSlip(in project: String) async throws {
        // What is wrong with the API the order itself will meet.
        guard let known = try? await projects(), !known.contains(project) else { return }
        let hint = ProjectHint.question(project, among: known)
        guard !hint.isEmpty else { return }
        throw CommandFailure(
            "there is no project '\(project)'\(hint) If it is to be a new one, say --new", exit: .usage)
    }

    /// Every secret of a project, by name.
    func secrets(of project: String) async throws -> [SecretPage.Secret] {
        var found: [SecretPage.Secret] = []
        var page: SecretPage
        repeat {
            let query = found.last.map { ["after": $0.name] } ?? [:]
            let request = try request("GET", "/projects/\(project)/secrets", query: query)
            page = try decoded(SecretPage.self, try await send(request))
            found += page.secrets
        } while page.more && !page.secrets.isEmpty
        return found
    }
}
