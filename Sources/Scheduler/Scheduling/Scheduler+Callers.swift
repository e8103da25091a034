// Who calls. schedulerd knows no token: it asks brokerd about every one, every time.

import Link
package import Wire

extension Scheduler {
    /// Goes on with `body` if brokerd knows the token. A job that speaks for itself may look at `job`, if that is
    /// itself; everything else is for people.
    func admit(
        _ token: String, asJob job: UInt64? = nil, fail: @escaping (Failure) -> Void, _ body: @escaping () -> Void
    ) {
        broker.verifyToken(token) { result in
            switch result {
            case .failure(let failure): fail(Self.refusal(of: failure))
            case .success(.operator): body()
            case .success(.job(let caller)):
                if caller.attempt.job == job { return body() }
                fail(
                    Failure(
                        .unauthorized, "a job's token lets that job look at itself, and does nothing else",
                        place: "token"))
            }
        }
    }

    /// A unit of work for a known caller, whose value is the reply, once it is durable.
    func answer<Reply>(
        _ name: String, _ token: String, asJob job: UInt64? = nil, _ responder: Responder<Reply>,
        _ work: @escaping (UnitOfWork) throws -> Reply
    ) {
        admit(token, asJob: job, fail: { responder.fail($0) }) { [weak self] in
            self?.batch.request(name, fail: { responder.fail($0) }) { unit in
                let reply = try work(unit)
                unit.afterCommit { responder.reply(reply) }
            }
        }
    }

    /// What a known caller asks for, from what is committed; `work` must not write.
    func tell<Reply>(
        _ name: String, _ token: String, asJob job: UInt64? = nil, _ responder: Responder<Reply>,
        _ work: @escaping (UnitOfWork) throws -> Reply
    ) {
        admit(token, asJob: job, fail: { responder.fail($0) }) { [weak self] in
            self?.batch.question(name, fail: { responder.fail($0) }) { unit in
                let reply = try work(unit)
                unit.afterCommit { responder.reply(reply) }
            }
        }
    }

    /// brokerd's refusal in words for the caller, who does not know our house.
    package static func refusal(of failure: Failure) -> Failure {
        switch failure.errorCode {
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
