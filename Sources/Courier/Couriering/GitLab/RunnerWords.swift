// What a runner's machine says, in the words of the house.

import ForgeCalls
import GitLabRunner
import Wire

extension RunnerMachine.KnownRunner {
    init(_ word: GitLabRunnerWord) {
        self.init(
            id: word.id, obtained: UInt64(max(0, word.obtainedMs)) / 1000,
            expires: word.expiresMs > 0 ? UInt64(word.expiresMs) / 1000 : nil)
    }
}

extension RunnerProblem {
    /// For the people of the house.
    func words(_ project: String) -> (ErrorCode, String) {
        let set = "`bulkhead secret set \(project) forge-token`"
        return switch self {
        case .mayNotRegister:
            (
                .unauthorized,
                "the token may not create runners: it needs the scope create_runner, and its user the role Maintainer; "
                    + "set another: \(set)"
            )
        case .registrationIsOff: (.forgeRefused, "GitLab does not let runners be created")
        case .tokenIsDead: (.notFound, "GitLab does not know the runner any more; another one is registered")
        case .refused(let status): (.forgeRefused, "GitLab answers \(status) to its runner")
        case .unreadable(let problem): (.forgeRefused, "GitLab's answer to its runner cannot be read: \(problem)")
        case .leftBehind: (.forgeUnavailable, "GitLab could not be told that a runner is gone; it may still be listed")
        }
    }
}
