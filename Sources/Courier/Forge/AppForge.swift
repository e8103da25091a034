// AppForge: what a forge lets apps do alone: GitHub's check runs, and tokens for the repositories on which somebody has
// installed the app. Pure, like ForgeProvider.

package import Exchange
package import ForgeModel

/// Where an app is installed.
package struct Installation: Equatable, Sendable {
    package let id: UInt64
    /// The app's number, which check runs have.
    package let app: UInt64
    /// The account in whose name it writes there.
    package let account: String

    package init(id: UInt64, app: UInt64, account: String) {
        self.id = id
        self.app = app
        self.account = account
    }
}

/// A check run that is there.
package struct FoundCheck: Equatable, Sendable {
    package let id: UInt64
    package let app: UInt64
    package let externalID: String
    /// In the forge's words; nil as long as it has not ended.
    package let conclusion: String?

    package init(id: UInt64, app: UInt64, externalID: String, conclusion: String?) {
        self.id = id
        self.app = app
        self.externalID = externalID
        self.conclusion = conclusion
    }
}

package protocol AppForge: ForgeProvider {
    /// As whom it is there; nil for whoever is no app, or has not been told yet.
    var installation: Installation? { get }
    /// The same forge, entered as this one.
    func asApp(_ installation: Installation) -> Self

    /// With the app's own statement in the place of a token.
    func askInstallation(_ repository: Repository) throws(ForgeProblem) -> ExchangeRequest
    func readInstallation(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Installation
    /// A token for this repository, and for no more than what courierd does there.
    func askInstallationToken(_ repository: Repository, _ installation: Installation) throws(ForgeProblem)
        -> ExchangeRequest
    func readInstallationToken(_ answer: ExchangeAnswer) throws(ForgeProblem) -> SecretText

    /// The check runs of this name at its commit, which may be those of several jobs.
    func askChecks(_ repository: Repository, _ check: CheckRun) throws(ForgeProblem) -> ExchangeRequest
    func readChecks(_ answer: ExchangeAnswer) throws(ForgeProblem) -> [FoundCheck]
    /// A new one, or `id` anew.
    func write(_ check: CheckRun, over id: UInt64?, in repository: Repository) throws(ForgeProblem) -> ExchangeRequest
    /// nil as long as it has not ended.
    func conclusion(of check: CheckRun) -> String?
}

/// What is to be sent for a check run, given what is there.
enum CheckStep: Equatable {
    case write(over: UInt64?)
    case nothing
}

extension AppForge {
    /// One that has ended stays as it is, at GitHub, too: a new one of its name takes its place.
    func step(for check: CheckRun, among found: [FoundCheck]) -> CheckStep {
        let mine = found.filter {
            $0.app == installation?.app && $0.externalID.utf8.elementsEqual(check.externalID.utf8)
        }
        guard let newest = mine.max(by: { $0.id < $1.id }) else { return .write(over: nil) }
        guard let told = newest.conclusion else { return .write(over: newest.id) }
        return told == conclusion(of: check) ? .nothing : .write(over: nil)
    }
}
