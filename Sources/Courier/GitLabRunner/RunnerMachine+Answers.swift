// What GitLab's answers mean for a runner.

package import Exchange
package import ForgeCalls

/// What a person may have to mend; `doctor` and `status` say it.
package enum RunnerProblem: Error, Equatable, Sendable {
    /// The token may not create runners, or not here.
    case mayNotRegister
    /// GitLab has registration by token off.
    case registrationIsOff
    /// The runner's token is dead: somebody has removed the runner, or its answer was lost. A new one is made.
    case tokenIsDead
    /// GitLab does not take what we say, with this status.
    case refused(status: Int)
    /// What it answers cannot be read.
    case unreadable(ForgeProblem)
    /// The runner may still be listed there.
    case leftBehind
}

extension RunnerMachine {
    /// What came of the request that was sent.
    package mutating func take(
        _ outcome: RetryPolicy.Outcome, now: UInt64, wall: UInt64, jitter: UInt32
    ) -> Notice? {
        guard let ask = flight else { return nil }
        flight = nil
        let sent = Sent(outcome: outcome, now: now, wall: wall, jitter: jitter)
        if case .answer(let answer) = outcome, answer.status < 300 || Self.isSaid(answer) {
            switch ask {
            case .register: return registered(answer, sent)
            case .verify: return verified(answer, sent)
            case .job: return asked(answer, sent)
            case .rotate: return rotated(answer, sent)
            case .leave: return left(answer, sent)
            }
        }
        // Nobody knows whether the old token still lives.
        if ask == .rotate, case .none(wasSent: true) = outcome, let known { phase = .verifying(known) }
        if ask == .leave { return farewellFailed(sent) }
        wait(sent)
        return nil
    }

    struct Sent {
        let outcome: RetryPolicy.Outcome
        let now: UInt64
        let wall: UInt64
        let jitter: UInt32
    }

    /// Whether it is the answer of GitLab's own judgement, not of its day.
    private static func isSaid(_ answer: ExchangeAnswer) -> Bool {
        (400..<500).contains(answer.status) && ![408, 429].contains(answer.status)
            && !(answer.status == 403 && answer.header("retry-after") != nil)
    }

    // MARK: before

    private mutating func registered(_ answer: ExchangeAnswer, _ sent: Sent) -> Notice? {
        switch answer.status {
        case 201:
            do throws(ForgeProblem) {
                let runner = try RunnerAPI.readRegistered(answer)
                let known = KnownRunner(id: runner.id, obtained: sent.wall, expires: runner.expires)
                return keep(known, runner.token)
            } catch {
                return problem(.unreadable(error), sent)
            }
        case 401, 403: return problem(.mayNotRegister, sent)
        case 404, 410: return problem(.registrationIsOff, sent)
        default: return problem(.refused(status: answer.status), sent)
        }
    }

    private mutating func verified(_ answer: ExchangeAnswer, _ sent: Sent) -> Notice? {
        guard let known else { return nil }
        switch answer.status {
        case 200:
            wentWell()
            // It may say a new end of the same token; it cannot say another token.
            var renewed = known
            if let runner = try? RunnerAPI.readRegistered(answer) { renewed.expires = runner.expires }
            phase = .ready(renewed)
            return nil
        case 401, 403, 404:
            phase = .unregistered
            lastUpdate = nil
            // A server that says so of every token gets no new runner with each.
            notBefore = sent.now + manners.poll
            return .problem(.tokenIsDead)
        default: return problem(.refused(status: answer.status), sent)
        }
    }

    private mutating func rotated(_ answer: ExchangeAnswer, _ sent: Sent) -> Notice? {
        guard let known else { return nil }
        do throws(ForgeProblem) {
            guard answer.status < 500, answer.status != 401, answer.status != 403 else {
                phase = .verifying(known)
                return nil
            }
            let fresh = try RunnerAPI.readRotated(answer)
            return keep(KnownRunner(id: known.id, obtained: sent.wall, expires: fresh.expires), fresh.token)
        } catch {
            phase = .verifying(known)
            return problem(.unreadable(error), sent)
        }
    }

    private mutating func keep(_ known: KnownRunner, _ token: SecretText) -> Notice {
        wentWell()
        phase = .keeping(known)
        return .keep(known, token)
    }

    // MARK: jobs

    private mutating func asked(_ answer: ExchangeAnswer, _ sent: Sent) -> Notice? {
        if let update = RunnerAPI.lastUpdate(answer) { lastUpdate = update }
        if answer.status != 409 { conflicts = 0 }
        switch answer.status {
        case 201:
            wentWell()
            room = max(0, room - 1)
            return .job(SecretText(answer.body))
        case 204:
            wentWell()
            // Not all at the same moment.
            notBefore = sent.now + manners.poll + manners.poll / 8 * UInt64(sent.jitter % 1024) / 1024
            return nil
        case 401, 403:
            if let known { phase = .verifying(known) }
            return nil
        case 409:
            // Another one was faster.
            conflicts += 1
            if conflicts > manners.conflicts { notBefore = sent.now + manners.poll }
            return nil
        case 200..<300:
            // A page for people.
            wait(sent)
            return nil
        case 404, 422:
            wait(sent)
            return nil
        default: return problem(.refused(status: answer.status), sent)
        }
    }

    // MARK: after

    private mutating func left(_ answer: ExchangeAnswer, _ sent: Sent) -> Notice? {
        guard case .leaving(let known, let way) = phase else { return nil }
        switch answer.status {
        case 204, 404:
            phase = .gone
            return nil
        case 401, 403:
            switch way {
            case .manager: phase = .gone
            // Its token is dead; so may be the runner.
            case .runner: phase = .leaving(known, .byNumber)
            case .byNumber: return farewellFailed(sent)
            }
            return nil
        default: return farewellFailed(sent)
        }
    }

    private mutating func farewellFailed(_ sent: Sent) -> Notice? {
        farewells += 1
        guard farewells < manners.farewells else {
            phase = .gone
            return .problem(.leftBehind)
        }
        wait(sent)
        return nil
    }

    // MARK: waiting

    private mutating func wentWell() {
        failures = 0
        notBefore = 0
    }

    private mutating func problem(_ problem: RunnerProblem, _ sent: Sent) -> Notice {
        failures += 1
        notBefore = sent.now + manners.long + UInt64(sent.jitter % 1024)
        return .problem(problem)
    }

    private mutating func wait(_ sent: Sent) {
        failures += 1
        for outcome in [sent.outcome, .none(wasSent: false)] {
            guard
                case .again(let wait) = policy.decide(
                    outcome, to: sample, attempt: failures, now: sent.wall, jitter: sent.jitter)
            else { continue }
            notBefore = sent.now + UInt64(wait / .milliseconds(1))
            return
        }
    }

    /// Whether something may be sent again is decided here, so the policy hears of a request that may.
    private var sample: ExchangeRequest { ExchangeRequest(.get, api.origin, RequestTarget("/"), credential: nil) }
}
