// Who calls. schedulerd knows no token: it asks brokerd about every one, every time.

import Link
import TrustWire
package import Wire

extension Scheduler {
    /// Goes on with `work`, in a unit of its own, if brokerd knows the token and its holder may do this; without
    /// `writes` from what is committed, and then `work` must not write.
    func admit(
        _ name: String, _ token: String, to action: Action, _ matter: Matter, writes: Bool = false,
        fail: @escaping (Failure) -> Void, _ work: @escaping (UnitOfWork, Caller) throws -> Void
    ) {
        broker.verifyToken(token) { [weak self] result in
            switch result {
            case .failure(let failure): fail(Self.refusal(of: failure))
            case .success(let word):
                let caller = Caller(word)
                let body = { (unit: UnitOfWork) throws in
                    try caller.check(action, matter, unit)
                    try work(unit, caller)
                }
                guard let self else { return }
                if writes { batch.request(name, fail: fail, body) } else { batch.question(name, fail: fail, body) }
            }
        }
    }

    /// A unit of work for a caller who may do this, whose value is the reply, once it is durable.
    func answer<Reply>(
        _ name: String, _ token: String, to action: Action, _ matter: Matter, _ responder: Responder<Reply>,
        _ work: @escaping (UnitOfWork, Caller) throws -> Reply
    ) {
        admit(name, token, to: action, matter, writes: true, fail: { responder.fail($0) }) { unit, caller in
            let reply = try work(unit, caller)
            unit.afterCommit { responder.reply(reply) }
        }
    }

    /// What such a caller asks for, from what is committed; `work` must not write.
    func tell<Reply>(
        _ name: String, _ token: String, to action: Action, _ matter: Matter, _ responder: Responder<Reply>,
        _ work: @escaping (UnitOfWork, Caller) throws -> Reply
    ) {
        admit(name, token, to: action, matter, fail: { responder.fail($0) }) { unit, caller in
            let reply = try work(unit, caller)
            unit.afterCommit { responder.reply(reply) }
        }
    }

    /// brokerd's refusal in words for the caller, who does not know our house.
    package static func refusal(of failure: Failure) -> Failure {
        switch failure.errorCode {
        case .unauthorized where failure.place == "expiry":
            Failure(.unauthorized, "the token has expired", place: "token")
        case .unauthorized where failure.place == "user":
            Failure(.unauthorized, "the user of this token was removed", place: "token")
        case .unauthorized: Failure(.unauthorized, "the token is missing or wrong", place: "token")
        case .disconnected, .shuttingDown, .notReady:
            Failure(.disconnected, "brokerd is away, and only brokerd knows tokens; try again", place: "brokerd")
        default: failure
        }
    }

    /// relayd's, for the same reader.
    static func refusalByRelay(_ failure: Failure) -> Failure {
        switch failure.errorCode {
        case .disconnected, .shuttingDown:
            Failure(.disconnected, "relayd is away, which alone keeps logs and sources; try again", place: "relayd")
        default: failure
        }
    }
}
