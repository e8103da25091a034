// GitLab's lists of branches, tags and merge requests.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GitLabForge {
    package func askReferences(
        _ repository: Repository, areTags: Bool, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/repository").and(areTags ? "/tags" : "/branches")
        }
        return server.get(target.query("per_page", "100").query("page", String(page)))
    }

    package func readReferences(
        _ answer: ExchangeAnswer, areTags: Bool
    ) throws(ForgeProblem) -> Page<(Reference, Commit)> {
        try Self.references(answer, areTags: areTags, commit: "id")
    }

    package func askTouched(_ repository: Repository, page: Int) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in base.and("/merge_requests") }
        return server.get(
            target.query("state", "all").query("order_by", "updated_at").query("sort", "desc").query("per_page", "100")
                .query("page", String(page)))
    }
}
