// The tokens of a probe, in memory. courierd has none of its own: it asks brokerd.

import Exchange
import GitLabRunner
import RunnerErrands
import Secret

final class ProbeTokens: RunnerTokens {
    var person: SecretText?
    var runner: SecretText?
    var jobs: [UInt64: SecretText] = [:]

    func fetch(_ token: RunnerToken, _ use: @escaping (consuming Secret?) -> Void) {
        let text: SecretText? =
            switch token {
            case .person, .registration: person
            case .runner: runner
            case .job(let id): jobs[id]
            }
        do {
            use(try text?.secret())
        } catch {
            use(nil)
        }
    }
}
