// The lists that are looked at for news, where they are alike.

package import Exchange
package import ForgeModel

extension PullForge {
    package func readTouched(
        _ answer: ExchangeAnswer, of repository: Repository
    ) throws(ForgeProblem) -> Page<TouchedChange> {
        Page(
            try Fields.list(answer).compactMap { fields in
                guard let time = (try? fields.word("updated_at")).flatMap(ForgeTime.milliseconds),
                    let change = try? Self.change(fields, of: repository)
                else { return nil }
                return TouchedChange(change, at: time)
            }, hasNext: answer.hasNextPage)
    }

    /// `name` and `commit.ID`.
    package static func references(
        _ answer: ExchangeAnswer, areTags: Bool, commit: String
    ) throws(ForgeProblem) -> Page<(Reference, Commit)> {
        var found: [(Reference, Commit)] = []
        for fields in try Fields.list(answer) {
            let name = try fields.word("name")
            found.append((areTags ? .tag(name) : .branch(name), try fields.commit("commit.\(commit)")))
        }
        return Page(found, hasNext: answer.hasNextPage)
    }
}
