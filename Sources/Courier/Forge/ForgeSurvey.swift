// ForgeSurvey: what a project's token may not do at its forge, found out without changing anything there: a status is
// posted at a commit that does not exist, and a comment written anew that does not exist. Whoever may is told that they
// are not there; whoever may not is told that.

import Exchange
package import ForgeModel

/// What is missing, in the order in which it is looked for.
package enum ForgeLack: Equatable, Sendable {
    /// The forge does not take the token.
    case token
    /// Whose the token is, which is how our comment is found again.
    case account
    /// It is not there, or the token does not see it.
    case repository
    case sources
    /// There is no such branch.
    case branch
    case statuses
    case comments
    /// What others may do, for approvals by comment.
    case permissions
}

/// With what gives it, where a token can have that.
package struct FoundLack: Equatable, Sendable {
    package let lack: ForgeLack
    package let scope: String?
}

package struct ForgeSurvey: Sendable {
    private enum Question: CaseIterable {
        case account, repository, branch, status, comment, permission
    }

    /// No commit has this name, and none will.
    private static let nowhere = String(repeating: "0", count: 39) + "1"

    private var repository: Repository
    private let branch: String
    private var account: Account?
    private var left = Question.allCases
    package private(set) var lacks: [ForgeLack] = []

    /// - Parameters:
    ///   - repository: as the rules have it; number 0 where they name the path alone.
    ///   - branch: the default branch.
    package init(_ repository: Repository, branch: String) {
        self.repository = repository
        self.branch = branch
    }

    /// Nil when everything was asked.
    func next(_ provider: any ForgeProvider) throws(ForgeProblem) -> ExchangeRequest? {
        guard let question = left.first else { return nil }
        switch question {
        case .account: return try provider.askAccount()
        case .repository: return try provider.askRepository(repository)
        case .branch: return try provider.askBranch(repository, branch)
        case .status:
            guard let commit = Commit(Self.nowhere) else { throw .unusable("commit") }
            return try provider.tryPosting(at: commit, in: repository)
        case .comment:
            let comment = RollingComment(change: 0, name: "bulkhead", author: account, body: "")
            return try provider.write(comment, over: 0, in: repository)
        case .permission:
            guard let account else { throw .unusable("account") }
            return try provider.askPermission(repository, account)
        }
    }

    mutating func take(_ answer: ExchangeAnswer, _ provider: any ForgeProvider) throws(ForgeProblem) {
        let question = left.removeFirst()
        let isRefused = answer.status == 401 || answer.status == 403
        switch question {
        case .account:
            if answer.status == 401 { return end(.token) }
            if isRefused {
                lacks.append(.account)
                left.removeAll { $0 == .permission }
            } else {
                try ForgeProblem.check(answer)
                account = try provider.readAccount(answer)
            }
        case .repository:
            if isRefused || answer.status == 404 { return end(.repository) }
            try ForgeProblem.check(answer)
            let found = try provider.readRepository(answer)
            guard repository.id == 0 || repository.id == found.id else { throw .foreign }
            repository = found
        case .branch:
            if isRefused { lacks.append(.sources) } else if answer.status == 404 { lacks.append(.branch) }
        case .status: if isRefused { lacks.append(.statuses) }
        case .comment: if isRefused { lacks.append(.comments) }
        case .permission:
            guard !isRefused, let account,
                try provider.readPermission(answer, of: account) >= provider.permissionToAsk
            else { return lacks.append(.permissions) }
        }
    }

    private mutating func end(_ lack: ForgeLack) {
        lacks.append(lack)
        left = []
    }
}
