// Gitea's lists of branches, tags and pull requests.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GiteaForge {
    package func askReferences(
        _ repository: Repository, areTags: Bool, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and(areTags ? "/tags" : "/branches")
        }
        return server.get(target.query("limit", "50").query("page", String(page)))
    }

    package func readReferences(
        _ answer: ExchangeAnswer, areTags: Bool
    ) throws(ForgeProblem) -> Page<(Reference, Commit)> {
        try Self.references(answer, areTags: areTags, commit: areTags ? "sha" : "id")
    }

    package func askTouched(_ repository: Repository, page: Int) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in base.and("/pulls") }
        return server.get(
            target.query("state", "all").query("sort", "recentupdate").query("limit", "50").query("page", String(page)))
    }
}
