// What schedulerd does with its database in a job's life, without its siblings.

import JobModel
import Posix
import Store
import Wire

/// One database, and the jobs that go over it.
final class Desk {
    let store: Store
    private var requests = 0

    init(path: String) throws {
        store = try Store(path: path)
    }

    /// Pools differ in their memory only.
    static func shape(_ pool: Int) -> RunnerShape {
        RunnerShape(
            image: "bulkhead/busybox", platform: .linuxAmd64, profile: .strict,
            resources: Resources(
                cpuMillis: 1000, memoryBytes: UInt64(64 + pool) << 20, pids: 64, diskBytes: 32 << 20),
            untrustedSteps: false, gpus: nil)
    }

    static func definition(_ project: String, _ pool: Int) -> JobDefinition {
        let step = Step(
            name: "build", run: "make build test", timeoutSeconds: 0, continueOnError: false, untrusted: false,
            when: .onSuccess, secrets: [])
        let spec = JobSpec(
            name: "build", shape: shape(pool), timeoutSeconds: 600, silenceSeconds: 0,
            env: [Variable(name: "GREETING", value: "hi")], steps: [step], artifacts: [])
        return JobDefinition(project: project, spec: spec, source: nil, schedule: .usual)
    }

    private static func ticket(_ project: String) -> Ticket {
        Ticket(
            order: Bytes16(high: 1, low: 2), subject: "admin", project: project, trust: .untrusted, commit: "",
            definition: Bytes32(1, 2, 3, 4), secrets: [], ownValues: false, generation: 1, issuedMs: 1,
            mac: Bytes32(9, 9, 9, 9))
    }

    /// Units that share a transaction, as in schedulerd's Batch while none of them fails.
    func together(_ count: Int, _ unit: (StoreTransaction, Int) throws -> Void) throws {
        try store.write { rows in
            for index in 0..<count {
                try unit(rows, index)
                _ = rows.takeChanges()
            }
        }
    }

    @discardableResult
    func insert(_ rows: StoreTransaction, _ definition: JobDefinition) throws -> UInt64 {
        requests += 1
        // A request was looked up once before brokerd was asked.
        let request = "\(Posix.processID)-\(requests)"
        _ = try rows.job(ofRequest: request)
        return try rows.submit(
            requestID: request, definition: definition, ticket: Self.ticket(definition.project),
            at: Posix.wallMilliseconds()
        ).job
    }

    /// A runner that waits.
    func idleRunner(_ rows: StoreTransaction, _ pool: Pool) throws -> Bytes16 {
        let runner = Bytes16.random()
        try rows.insertRunner(runner, pool: pool, wanted: false, at: 1)
        try rows.advance(runner: runner, on: .provisioned)
        try rows.advance(runner: runner, on: .ready)
        return runner
    }

    /// The next job for a runner: what Scheduler.assign and Scheduler.give write.
    func claim(_ rows: StoreTransaction, _ pool: Pool, _ runner: Bytes16) throws -> Claim? {
        guard let line = try rows.nextLine(plain: false, where: { $0.pool == pool }) else { return nil }
        let now = Posix.wallMilliseconds()
        let attempt = try rows.openAttempt(job: line.head, epoch: 1, runner: runner)
        try rows.advance(job: line.head, on: .assigned, at: now)
        try rows.note(job: line.head, "attempt \(attempt.attempt) on a runner that was waiting", at: now)
        try rows.setJob(line.head, ofRunner: runner)
        try rows.noteUse(of: pool, at: now)
        try rows.charge(line.project, cpuMillis: 1000)
        try rows.advance(runner: runner, on: .taken)
        try rows.noteTold(attempt)
        return Claim(attempt: attempt, runner: runner, project: line.project)
    }

    /// relayd has told its beginning and its end, and spawnerd has removed the runner.
    func finish(_ rows: StoreTransaction, _ claim: Claim) throws {
        let (job, now) = (claim.attempt.job, Posix.wallMilliseconds())
        try rows.advance(job: job, on: .started, at: now)
        let result = JobResult(state: .succeeded, failedStep: nil, exitCode: 0, reason: "")
        try rows.setResult(job: job, result, logBytes: 10)
        try rows.advance(job: job, on: .reportedSuccess, at: now)
        try rows.closeAttempt(ofJob: job)
        try rows.advance(runner: claim.runner, on: .jobEnded)
        try rows.noteSettled(claim.attempt)
        try rows.advance(runner: claim.runner, on: .removed)
    }
}

/// A job that has got a runner.
struct Claim {
    let attempt: Attempt
    let runner: Bytes16
    let project: String
}
