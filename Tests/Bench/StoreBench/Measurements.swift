// The measurements; each is called again and again by the one who compares.

import Glibc
import Posix
import Store
import Wire

/// N4: `share` jobs are inserted in one commit, claimed in one, finished in one.
func durable(_ desk: Desk, jobs: Int, share: Int) throws {
    let definition = Desk.definition("bench", 0)
    let pool = try pool(desk, 0)
    let begin = Posix.monotonicNow()
    for _ in 0..<max(jobs / share, 1) {
        try desk.together(share) { rows, _ in try desk.insert(rows, definition) }
        var claims: [Claim] = []
        try desk.together(share) { rows, _ in
            if let claim = try desk.claim(rows, pool, try desk.idleRunner(rows, pool)) { claims.append(claim) }
        }
        guard claims.count == share else { throw BenchError.tooFewJobs }
        try desk.together(share) { rows, index in try desk.finish(rows, claims[index]) }
    }
    print(Double(Posix.monotonicNow() - begin) / Double(max(jobs / share, 1) * share))
}

/// Waiting jobs: project p0 has half of them, the others share the rest.
func fill(_ desk: Desk, jobs: Int, projects: Int, pools: Int, drain: Bool) throws {
    let names = (0..<projects).map { "p\($0)" }
    var made = 0
    while made < jobs {
        let count = min(10_000, jobs - made)
        try desk.store.write { rows in
            for number in made..<(made + count) {
                let project = number % 2 == 0 ? names[0] : names[(number / 2) % projects]
                try desk.insert(rows, Desk.definition(project, (number / 2 / projects) % pools))
            }
            _ = rows.takeChanges()
        }
        made += count
    }
    if drain { try desk.store.write { try $0.setDraining(true) } }
}

/// N5: one dispatch a transaction. Nanoseconds of the claim alone, and with its commit; for each line on stdin anew.
func dispatch(_ desk: Desk, count: Int, pool number: Int) throws {
    let pool = try pool(desk, number)
    while readLine() != nil {
        for _ in 0..<count {
            var runner = Bytes16.random()
            try desk.store.write { runner = try desk.idleRunner($0, pool) }
            var taken: Claim?
            var claimed: UInt64 = 0
            let begin = Posix.monotonicNow()
            try desk.store.write { rows in
                taken = try desk.claim(rows, pool, runner)
                claimed = Posix.monotonicNow() - begin
            }
            let committed = Posix.monotonicNow() - begin
            guard let taken else { throw BenchError.tooFewJobs }
            print(claimed, committed)
            // As many wait as before.
            let definition = Desk.definition(taken.project, number)
            try desk.store.write { rows in
                try desk.finish(rows, taken)
                try desk.insert(rows, definition)
            }
        }
        print("done")
        fflush(nil)
    }
}

/// How many jobs each project got, in `count` dispatches.
func fairness(_ desk: Desk, count: Int) throws {
    let pool = try pool(desk, 0)
    var served: [String: Int] = [:]
    for _ in 0..<count {
        try desk.store.write { rows in
            guard let claim = try desk.claim(rows, pool, try desk.idleRunner(rows, pool)) else {
                throw BenchError.tooFewJobs
            }
            served[claim.project, default: 0] += 1
            try desk.finish(rows, claim)
        }
    }
    for (_, jobs) in served { print(jobs) }
}

/// A page of a hundred jobs as GET /jobs reads it; in turn, so that all three see the same machine.
func pages(_ desk: Desk, count: Int) throws {
    var newest: UInt64 = 0
    try desk.store.read { newest = try $0.jobs(before: 0, limit: 1, state: nil).first?.id ?? 0 }
    for state in [nil, Wire.JobState.queued] {
        for _ in 0..<count {
            let took = try [0, newest / 2, newest / 50].map { before in
                let begin = Posix.monotonicNow()
                try desk.store.read { rows in
                    guard try rows.jobs(before: before, limit: 100, state: state).count == 100 else {
                        throw BenchError.tooFewJobs
                    }
                }
                return Posix.monotonicNow() - begin
            }
            print(took[0], took[1], took[2])
        }
    }
}

private func pool(_ desk: Desk, _ number: Int) throws -> Pool {
    var shape: Int64 = 0
    try desk.store.write { shape = try $0.key(of: Desk.shape(number)) }
    return Pool(shape: shape, trust: .untrusted)
}

enum BenchError: Error {
    case tooFewJobs
}
