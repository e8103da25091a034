// Caller: who asks, as brokerd says, and the one place where it is decided whether they may.

import Link
import Store
import TrustWire
import Wire

/// What a request is about.
enum Matter {
    case house
    case project(String)
    case job(UInt64)
}

/// Of one request.
struct Caller {
    let name: String
    let rights: Rights
    /// The job that speaks for itself, if it is one.
    let job: UInt64?

    init(_ word: BrokerEdge.Caller) {
        switch word {
        case .operator(let person):
            (name, job) = (person.name, nil)
            rights = Rights(everywhere: person.everywhere, projects: person.projects)
        case .job(let caller):
            (name, job) = ("", caller.attempt.job)
            rights = Rights(everywhere: .metrics, projects: [])
        }
    }

    /// Throws why not. A job of a project that the caller cannot see is not there.
    func check(_ action: Action, _ matter: Matter, _ unit: UnitOfWork) throws {
        if let job {
            if case .job(job) = matter, action == .seeJobs { return }
            throw Failure(
                .unauthorized, "a job's token lets that job look at itself, and does nothing else", place: "token")
        }
        var project = ""
        switch matter {
        case .house: break
        case .project(let name): project = name
        case .job(let id):
            guard let row = try unit.rows.job(id), rights.access(to: row.project) >= .read else {
                throw Failure.noSuchJob(id)
            }
            project = row.project
        }
        if let refusal = rights.refusal(of: action, in: project) { throw refusal }
    }
}
