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
    /// `; did you mean 'web'?`, or nothing. What the API tells of projects are those of the newest jobs.
    func hint(for project: String) async throws -> String {
        let page = try decoded(JobPage.self, try await send(try request("GET", "/jobs", query: ["limit": "50"])))
        let close = ProjectHint.close(to: project, among: page.jobs.compactMap(\.project))
        guard !close.isEmpty else { return "" }
        let names = close.prefix(3).map { "'\(Terminal.printable($0))'" }
        return "; did you mean \(names.joined(separator: " or "))?"
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
