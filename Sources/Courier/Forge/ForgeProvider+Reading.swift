// Answers that all forges give in the same way, but for the fields of a change.

package import Exchange
package import ForgeModel

extension ForgeProvider {
    package func readChange(
        _ answer: ExchangeAnswer, _ number: UInt64, of repository: Repository
    ) throws(ForgeProblem) -> ChangeState {
        let change = try Self.change(try Fields(answer), of: repository)
        guard change.number == number else { throw .foreign }
        return change
    }

    /// One that cannot be read is left out: it must not hide the others.
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
