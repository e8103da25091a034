// Who is next: priority, then the project that was served least, then age. And what the triggers keep is what a count
// finds.

import GRDB
import JobModel
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct QueueTests {
    /// The names of the jobs in the order in which one runner after another is given them.
    private func serve(_ house: House, _ count: Int) throws -> [String] {
        var names: [String] = []
        for _ in 0..<count {
            try house.run("told") { !house.relay.jobs.isEmpty }
            let attempt = try house.relay.attempt()
            names.append(try house.job(attempt.job).name)
            house.relay.finish(attempt, .succeeded)
            try house.run("settled") { house.relay.jobs[attempt] == nil }
        }
        return names
    }

    @Test func aHigherPriorityGoesFirst() throws {
        let house = try House(maxRunners: 1)
        try house.submit("first")
        try house.submit("low") { $0.schedule.priority = 10 }
        try house.submit("more") { $0.schedule.priority = 20 }
        try house.submit("usual")
        #expect(try serve(house, 4) == ["first", "usual", "more", "low"])
        try house.expectEmpty()
    }

    /// Priorities are compared across projects: a stranger's own word brings nobody forward.
    @Test func whoIsTrustedLeastHasNoHighPriority() throws {
        let house = try House(maxRunners: 1)
        try house.submit("first")
        try house.submit("operator", secrets: ["npm"])
        try house.submit("stranger") { $0.schedule.priority = 100 }
        try house.submit("urgent", secrets: ["npm"]) { $0.schedule.priority = 90 }
        #expect(try serve(house, 4) == ["first", "urgent", "operator", "stranger"])
    }

    /// A project that comes later with little does not wait for one that came first with much.
    @Test func noProjectStarves() throws {
        let house = try House(maxRunners: 1)
        for number in 1...6 { try house.submit("a\(number)", project: "a") }
        for number in 1...2 { try house.submit("b\(number)", project: "b") }
        #expect(try serve(house, 8) == ["a1", "b1", "a2", "b2", "a3", "a4", "a5", "a6"])
    }

    /// Within a project age decides, whatever the jobs ask for.
    @Test func theOlderOneOfAProjectGoesFirst() throws {
        let house = try House(maxRunners: 1)
        try house.submit("hold", image: "debian")
        for number in 1...4 { try house.submit("\(number)", image: number % 2 == 0 ? "busybox" : "debian") }
        #expect(try serve(house, 5) == ["hold", "1", "2", "3", "4"])
    }

    /// Having asked for nothing is no credit: it would let one project shut out the others afterwards.
    @Test func whoComesLateHasNoCredit() throws {
        let house = try House(maxRunners: 1)
        for number in 1...8 { try house.submit("a\(number)", project: "a") }
        #expect(try serve(house, 5) == ["a1", "a2", "a3", "a4", "a5"])
        for number in 1...4 { try house.submit("b\(number)", project: "b") }
        let rest = try serve(house, 7)
        #expect(rest.prefix(5).filter { $0.hasPrefix("a") }.count >= 2, "\(rest)")
        #expect(Set(rest) == ["a6", "a7", "a8", "b1", "b2", "b3", "b4"])
    }

    /// One job that can never run here must not gather turns for all that follow it.
    @Test func aParkedJobIsNoCredit() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            let parked = try Samples.insert(rows, "parked", Samples.definition(project: "parker"))
            for number in 0..<100 {
                try Samples.insert(rows, "a\(number)", Samples.definition(project: "a"))
                try rows.charge("a", cpuMillis: 1000)
            }
            try Samples.insert(rows, "more", Samples.definition(project: "parker"))
            var turns = 0
            while try rows.nextLine(plain: false, where: { _ in true })?.project == "parker", turns < 100 {
                try rows.charge("parker", cpuMillis: 1000)
                turns += 1
            }
            #expect(turns > 0 && turns <= 12, "\(turns) turns in a row")
            #expect(try rows.job(parked)?.state == .queued)
        }
    }

    /// Tickets, tokens and logs are named by it.
    @Test func theNumberOfAForgottenJobIsNobodyElses() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            let job = try Samples.insert(rows, "a")
            try rows.advance(job: job, on: .withdrawn, at: 1)
            #expect(try rows.ended(before: 2, count: 10).map(\.id) == [job])
            try rows.forget(job: job)
            #expect(try rows.job(job) == nil && rows.tally().values.allSatisfy { $0 == 0 })
            #expect(try Samples.insert(rows, "b") == job + 1)
        }
    }

    /// Between the question and the deed somebody may have come to need it.
    @Test func whatIsNeededIsNotForgotten() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            let job = try Samples.insert(rows, "a")
            try rows.advance(job: job, on: .withdrawn, at: 1)
            var definition = Samples.definition("b")
            definition.schedule.needs = [job]
            try Samples.insert(rows, "b", definition)
            try rows.forget(job: job)
            #expect(try rows.job(job) != nil)
        }
    }

    /// Of each kind there is one job, and none finds room: each look at the queue sees each line once at most.
    @Test func aLookAtTheQueueIsAsLongAsTheQueue() throws {
        let house = try House(maxRunners: 8) { $0.cpuPercent = 100 }
        house.spawner.cpus = 2
        try house.restart()
        try house.submit("half") { $0.spec.shape.resources.cpuMillis = 1500 }
        try house.run("told") { house.relay.jobs.count == 1 }
        let kinds = 60
        for number in 0..<kinds { try house.submit("\(number)", image: "image-\(number)") }
        house.settle()
        let before = house.scheduler.linesLookedAt
        let small = try house.submit("small") { $0.spec.shape.resources.cpuMillis = 500 }
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == small } }
        house.settle()
        let looked = house.scheduler.linesLookedAt - before
        // A look by the submission, and one by each thing that a start brings about.
        #expect(looked > UInt64(kinds) && looked <= 8 * UInt64(kinds + 1), "\(looked) lines for \(kinds) kinds")
    }

    /// More kinds than one pass may look at: the last one is served all the same.
    @Test func theEndOfALongQueueIsLookedAt() throws {
        let house = try House(maxRunners: 8) { $0.cpuPercent = 100 }
        house.spawner.cpus = 2
        try house.restart()
        try house.submit("half") { $0.spec.shape.resources.cpuMillis = 1500 }
        try house.run("told") { house.relay.jobs.count == 1 }
        let kinds = LineWalk.limit + 100
        try house.store.write { rows throws in
            for number in 0..<kinds {
                try Samples.insert(rows, "\(number)", Samples.definition("x", image: "image-\(number)"))
            }
        }
        let before = house.scheduler.linesLookedAt
        let small = try house.submit("small") { $0.spec.shape.resources.cpuMillis = 500 }
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == small } }
        #expect(house.scheduler.linesLookedAt - before > UInt64(kinds))
    }

    /// Between two steps of a walk jobs are served and end, and lines move: none is seen twice, and none is left out.
    @Test func aWalkSeesEachLineOnce() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            for number in 0..<30 {
                var definition = Samples.definition(image: "i\(number)", project: "p\(number % 3)")
                definition.schedule.priority = UInt8(number % 2) * 10
                try Samples.insert(rows, "\(number)", definition)
            }
            var (walk, seen): (LineWalk, [Line]) = (LineWalk(), [])
            while let line = try rows.nextLine(&walk, plain: false, where: { _ in true }) {
                if seen.contains(where: { $0.head == line.head }) { continue }
                seen.append(line)
                if seen.count % 4 == 0 { try rows.charge(line.project, cpuMillis: 1000) }
            }
            #expect(seen.count == 30)
            #expect(seen.map(\.priority) == seen.map(\.priority).sorted(by: >))
            var short = LineWalk(limit: 7)
            while try rows.nextLine(&short, plain: false, where: { _ in false }) != nil {}
            #expect(short.isCut && short.count == 7)
            var rest = LineWalk(after: short.last)
            while try rows.nextLine(&rest, plain: false, where: { _ in false }) != nil {}
            #expect(!rest.isCut && rest.count == 23)
        }
    }

    /// The plan of the query, not its time.
    @Test func theLinesOfAPoolAreFoundByAnIndex() throws {
        let directory = try TemporaryDirectory()
        _ = try Store(path: directory.database)
        try DatabaseQueue(path: directory.database).read { db in
            let plan = try Row.fetchAll(
                db,
                sql: "EXPLAIN QUERY PLAN SELECT sum(waiting) FROM queues INDEXED BY queues_by_pool "
                    + "WHERE shape = 1 AND trust = 1")
            let steps = plan.map { $0["detail"] as String }
            #expect(steps.allSatisfy { $0.hasPrefix("SEARCH") } && !steps.isEmpty, "\(steps)")
        }
    }

    /// Whoever makes every job of another kind slows nobody down: to be served is as many rows as for one kind.
    @Test func toBeServedCostsNoMoreWithManyKinds() throws {
        func written(kinds: Int) throws -> Int {
            let directory = try TemporaryDirectory()
            let store = try Store(path: directory.database)
            try store.write { rows throws in
                for number in 0..<kinds {
                    try Samples.insert(rows, "\(number)", Samples.definition(image: "i\(number)", project: "a"))
                }
            }
            var written = 0
            try store.write { rows throws in
                let line = try #require(try rows.nextLine(plain: false) { _ in true })
                try rows.advance(job: line.head, on: .assigned, at: 1)
                try rows.charge(line.project, cpuMillis: 1000)
                try Samples.insert(rows, "next", Samples.definition(image: "next", project: "a"))
                written = rows.written
            }
            return written
        }
        #expect(try written(kinds: 2) == written(kinds: 300))
    }

    /// Nothing is sorted, and no line is read that is not of the rank.
    @Test func linesAreReadInTheirOrder() throws {
        let directory = try TemporaryDirectory()
        _ = try Store(path: directory.database)
        try DatabaseQueue(path: directory.database).read { db in
            let order = "ranks.priority < 9 ORDER BY ranks.priority DESC, turn, ranks.project, head"
            let plan = try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(StoreTransaction.linesInOrder) \(order)")
            let steps = plan.map { $0["detail"] as String }
            #expect(steps.count == 2 && steps.last?.contains("(project=? AND priority=?)") == true, "\(steps)")
        }
    }

    /// What a job costs its project is what it takes of the machine.
    @Test func largeJobsCountForMore() throws {
        let house = try House(maxRunners: 1)
        try house.submit("hold", project: "z")
        for number in 1...2 {
            try house.submit("big\(number)", project: "big") { $0.spec.shape.resources.cpuMillis = 4000 }
        }
        for number in 1...4 { try house.submit("small\(number)", project: "small") }
        #expect(try serve(house, 7) == ["hold", "big1", "small1", "small2", "small3", "small4", "big2"])
    }

    /// Random lives of jobs: the table's events, gates, charges, retries, rows that are given up and rows that go, and
    /// leaps from any state and gate to any other, which no table allows. Lines and tally are what a count says.
    @Test(arguments: UInt64(1)...8)
    func theTriggersCountAsACountDoes(_ seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        let queue = try DatabaseQueue(path: directory.database)
        var random = SplitMix(seed: seed)
        var (jobs, leaps): ([UInt64], Set<[Int64]>) = ([], [])
        for round in 0..<40 {
            try store.write { rows throws in
                for number in 0..<8 { jobs.append(try Self.submit(rows, "\(round).\(number)", &random)) }
                for _ in 0..<12 { try Self.happen(rows, jobs.randomElement(using: &random) ?? 1, &random) }
            }
            try queue.write { db in
                for _ in 0..<24 {
                    let job = Int64(jobs.randomElement(using: &random) ?? 1)
                    let now = try Row.fetchOne(db, sql: "SELECT state, gate FROM jobs WHERE id = ?", arguments: [job])
                    guard let now else { continue }
                    let next = [Int64.random(in: 1...10, using: &random), Int64.random(in: 0...3, using: &random)]
                    try db.execute(
                        sql: "UPDATE jobs SET state = ?, gate = ? WHERE id = ?", arguments: [next[0], next[1], job])
                    leaps.insert([now["state"], next[0]])
                }
            }
            try queue.read { try Self.compare($0) }
            try store.write { rows throws in #expect(try !rows.mendLines(), "what a start looks at agrees") }
        }
        #expect(leaps.count > 90, "of 100 pairs of states: \(leaps.count)")
    }

    private static func submit(_ rows: StoreTransaction, _ name: String, _ random: inout SplitMix) throws -> UInt64 {
        var definition = Samples.definition(
            image: ["busybox", "debian"].randomElement(using: &random) ?? "",
            secrets: Bool.random(using: &random) ? ["token"] : [], project: "p\(random.next() % 3)")
        definition.schedule.priority = UInt8(random.next() % 3) * 10
        let trust = Trust.allCases.randomElement(using: &random) ?? .untrusted
        let gate = [Gate.open, .open, .group, .fence, .tags].randomElement(using: &random) ?? .open
        return try rows.submit(
            requestID: name, definition: definition, ticket: Samples.ticket(definition, trust: trust), gate: gate, at: 1
        ).job
    }

    private static func happen(_ rows: StoreTransaction, _ job: UInt64, _ random: inout SplitMix) throws {
        switch random.next() % 8 {
        case 0: try rows.setGate(Gate(rawValue: Int64.random(in: 0...3, using: &random)) ?? .open, ofJob: job)
        case 1:
            // Only who has something in line is charged.
            if let line = try rows.nextLine(plain: false, where: { _ in true }) {
                try rows.charge(line.project, cpuMillis: 1000)
            }
        case 2: _ = try rows.giveUp(DamagedRow(.job(job), "x"), reason: "x", at: 3)
        case 3: try rows.forget(job: job)
        case 4: try rows.forgetShares()
        default:
            // Most are refused in the state that the job has: nothing is to be counted then.
            guard let event = JobEvent.allCases.randomElement(using: &random) else { return }
            do { try rows.advance(job: job, on: event, at: 2) } catch StoreError.refused {}
        }
    }

    private static func compare(_ db: Database) throws {
        let kind = "project, shape, trust, needs_grant, priority"
        let kept = try Row.fetchAll(db, sql: "SELECT \(kind), waiting AS n, head FROM queues ORDER BY \(kind)")
        let counted = try Row.fetchAll(
            db,
            sql: """
                SELECT \(kind), count(*) AS n, min(id) AS head FROM jobs WHERE state = 3 AND gate = 0
                GROUP BY \(kind) ORDER BY \(kind)
                """)
        #expect(kept == counted)
        let tally = try Row.fetchAll(db, sql: "SELECT state, jobs AS n FROM tally WHERE jobs > 0 ORDER BY state")
        let states = try Row.fetchAll(db, sql: "SELECT state, count(*) AS n FROM jobs GROUP BY state ORDER BY state")
        #expect(tally == states)
        let ranks = try Row.fetchAll(
            db, sql: "SELECT project, priority, waiting AS n, turn FROM ranks ORDER BY project, priority")
        let lines = try Row.fetchAll(
            db,
            sql: """
                SELECT project, priority, sum(waiting) AS n, turn FROM queues LEFT JOIN shares USING (project)
                GROUP BY project, priority ORDER BY project, priority
                """)
        #expect(ranks == lines, "a project has one turn in all its ranks")
    }
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
