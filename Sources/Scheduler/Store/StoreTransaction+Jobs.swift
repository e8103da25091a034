// Jobs: made, found, listed, moved through their table of states.

import Foundation
import GRDB
package import JobModel
import JobWire
package import Wire

extension StoreTransaction {
    /// The job of a request; a repeated request finds the first one's job and writes nothing.
    /// `ticket` is brokerd's word on it. It is QUEUED at `gate`, or BLOCKED if it needs other jobs; without a ticket it
    /// is HELD until it has one. `house` is the time of the house.
    package func submit(
        requestID: String, definition: JobDefinition, ticket: Ticket?, gate: Gate = .open, at now: Int64,
        house: Int64 = 0
    ) throws -> (job: UInt64, created: Bool) {
        if let found = try job(ofRequest: requestID) { return (found, false) }
        let (spec, source, schedule) = (definition.spec, definition.source, definition.schedule)
        let state = ticket == nil ? Wire.JobState.held : schedule.needs.isEmpty ? .queued : .blocked
        let id = UInt64(try count("SELECT value FROM meta WHERE key = 'next_job'"))
        try run("UPDATE meta SET value = ? WHERE key = 'next_job'", [Self.key(id + 1)])
        try run(
            """
            INSERT INTO jobs (id, request_id, project, trust, ticket, needs_grant, name, image, shape, spec,
                timeout_seconds, source_sha, source_size, state, created_ms, schedule, priority, gate, group_name,
                has_tags, queued_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                Self.key(id), requestID, definition.project, Int64((ticket?.trust ?? .untrusted).rawValue),
                try ticket.map { Self.blob(try Self.bytes($0)) },
                definition.needsGrant ? 1 : 0, spec.name, spec.shape.image, try key(of: spec.shape),
                Self.blob(try Self.bytes(spec)), Int64(spec.timeoutSeconds), source.map { Self.blob($0.sha256.array) },
                source.map { Self.key($0.size) }, state.rawValue, now, Self.blob(try Self.bytes(schedule)),
                Int64(Self.priority(schedule, ticket?.trust ?? .untrusted)), gate.rawValue, schedule.group?.name,
                schedule.tags.isEmpty ? 0 : 1, house,
                state == .queued ? Self.expiry(schedule, from: house) : nil,
            ])
        try insertNeeds(schedule.needs, ofJob: id)
        try note(job: id, "submitted: \(state.label)", at: now)
        changes.append(JobChange(job: id, state: state, reason: ""))
        return (id, true)
    }

    /// A held job as it is to run: with its source, and as its file now says.
    package func redefine(job id: UInt64, as definition: JobDefinition) throws {
        let (spec, source, schedule) = (definition.spec, definition.source, definition.schedule)
        try run(
            """
            UPDATE jobs SET needs_grant = ?, name = ?, image = ?, shape = ?, spec = ?, timeout_seconds = ?,
                source_sha = ?, source_size = ?, schedule = ?, group_name = ?, has_tags = ? WHERE id = ? AND state = 2
            """,
            [
                definition.needsGrant ? 1 : 0, spec.name, spec.shape.image, try key(of: spec.shape),
                Self.blob(try Self.bytes(spec)), Int64(spec.timeoutSeconds), source.map { Self.blob($0.sha256.array) },
                source.map { Self.key($0.size) }, Self.blob(try Self.bytes(schedule)), schedule.group?.name,
                schedule.tags.isEmpty ? 0 : 1, Self.key(id),
            ])
    }

    /// A held job gets its ticket, and what that says of its trust.
    package func giveTicket(_ ticket: Ticket, toJob id: UInt64) throws {
        let priority = Self.priority(try schedule(ofJob: id), ticket.trust)
        try run(
            "UPDATE jobs SET ticket = ?, trust = ?, priority = ? WHERE id = ? AND state = 2",
            [Self.blob(try Self.bytes(ticket)), Int64(ticket.trust.rawValue), Int64(priority), Self.key(id)])
    }

    /// What it counts as. Priorities are compared across projects, so one that nobody vouches for goes before no other
    /// by its own word.
    private static func priority(_ schedule: Schedule, _ trust: Trust) -> UInt8 {
        trust == .untrusted ? min(schedule.priority, Schedule.usual.priority) : schedule.priority
    }

    private static func expiry(_ schedule: Schedule, from house: Int64) -> Int64? {
        schedule.queueTimeoutSeconds == 0 ? nil : house + Int64(schedule.queueTimeoutSeconds) * 1000
    }

    /// Its time in the queue begins.
    package func joinQueue(job id: UInt64, at house: Int64) throws {
        let expiry = Self.expiry(try schedule(ofJob: id), from: house)
        try run("UPDATE jobs SET queued_at = ?, expires_at = ? WHERE id = ?", [house, expiry, Self.key(id)])
    }

    /// Another attempt is to be made: what was known of the steps is of the last one.
    package func noteFault(job id: UInt64) throws {
        try run("UPDATE jobs SET faults = faults + 1, started_ms = NULL, result = NULL WHERE id = ?", [Self.key(id)])
        try run("DELETE FROM steps WHERE job = ?", [Self.key(id)])
    }

    /// Jobs that ended before this time of the house and that no other one waits for, oldest first; `after`: beyond
    /// this one.
    package func ended(before limit: Int64, after last: EndedJob? = nil, count: Int) throws -> [EndedJob] {
        try all(
            """
            SELECT id, ended_at FROM jobs INDEXED BY jobs_by_end WHERE state > 5 AND ended_at < ?
            AND (ended_at, id) > (?, ?)
            AND NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.job = jobs.id AND attempts.state < 3)
            AND NOT EXISTS (SELECT 1 FROM needs JOIN jobs AS waiting ON waiting.id = needs.job
                WHERE needs.needed = jobs.id AND waiting.state = 1)
            AND NOT EXISTS (SELECT 1 FROM runners WHERE runners.fences = jobs.id)
            ORDER BY ended_at, id LIMIT ?
            """, [limit, last?.endedAt ?? Int64.min, last.map { Self.key($0.id) } ?? 0, count]
        ).map { EndedJob(id: UInt64(bitPattern: $0["id"]), endedAt: $0["ended_at"]) }
    }

    /// A job that has ended and whose logs are gone.
    package func forget(job id: UInt64) throws {
        let key = Self.key(id)
        // Looked at again: while relayd removed the logs, somebody may have come to need it.
        let isNeeded = try count(
            """
            SELECT count(*) FROM jobs WHERE id = ?1 AND (state < 6
                OR EXISTS (SELECT 1 FROM attempts WHERE job = ?1 AND state < 3)
                OR EXISTS (SELECT 1 FROM runners WHERE fences = ?1)
                OR EXISTS (SELECT 1 FROM needs JOIN jobs AS waiting ON waiting.id = needs.job
                    WHERE needs.needed = ?1 AND waiting.state = 1))
            """, [key])
        if isNeeded > 0 { return }
        for table in ["steps", "attempts", "happenings", "needs"] {
            try run("DELETE FROM \(table) WHERE job = ?", [key])
        }
        // Nobody can be told of it any more.
        try run("UPDATE delivery_jobs SET posted = 255 WHERE job = ?", [key])
        try run("DELETE FROM jobs WHERE id = ? AND state > 5", [key])
    }

    /// The job that a request made, if it has been here before.
    package func job(ofRequest requestID: String) throws -> UInt64? {
        try one("SELECT id FROM jobs WHERE request_id = ?", [requestID]) { UInt64(bitPattern: $0.next()) }
    }

    package func job(_ id: UInt64) throws -> JobRow? {
        try one("SELECT \(JobRow.columns) FROM jobs WHERE id = ?", [Self.key(id)]) { try JobRow(&$0) }
    }

    package func spec(ofJob id: UInt64) throws -> JobSpec {
        let bytes = try one("SELECT spec FROM jobs WHERE id = ?", [Self.key(id)]) { $0.next() as [UInt8] }
        guard let bytes else { throw StoreError.damagedRow(DamagedRow(nil, "no job \(id)")) }
        return try Self.message(JobSpec.self, bytes, of: .spec(ofJob: id))
    }

    package func schedule(ofJob id: UInt64) throws -> Schedule {
        let bytes = try one("SELECT schedule FROM jobs WHERE id = ?", [Self.key(id)]) { $0.next() as [UInt8] }
        guard let bytes else { throw StoreError.damagedRow(DamagedRow(nil, "no job \(id)")) }
        return try Self.message(Schedule.self, bytes, of: .spec(ofJob: id))
    }

    /// All that the job is: what its ticket names by hash.
    package func definition(of job: JobRow) throws -> JobDefinition {
        JobDefinition(
            project: job.project, spec: try spec(ofJob: job.id), source: job.source,
            schedule: try schedule(ofJob: job.id))
    }

    /// nil: a job from before there were tickets.
    package func ticket(ofJob id: UInt64) throws -> Ticket? {
        guard let row = try one("SELECT ticket FROM jobs WHERE id = ?", [Self.key(id)]) else { return nil }
        return try (row["ticket"] as Data?).map { try Self.message(Ticket.self, $0, of: .spec(ofJob: id)) }
    }

    /// Newest first, below `before` (0: from the newest), at most `limit`. The page is found by key, however far back.
    /// Of these projects alone, if some are given.
    package func jobs(
        before: UInt64, limit: Int, state: Wire.JobState?, of projects: [String]? = nil
    ) throws -> [JobRow] {
        let bound = before == 0 ? Int64.max : Self.key(before)
        // The literal makes the partial index of that state usable.
        let condition =
            switch state {
            case nil: ""
            case .queued: "AND state = 3"
            case .some(let other): "AND state <> 3 AND state = \(other.rawValue)"
            }
        guard let projects else {
            let sql = "SELECT \(JobRow.columns) FROM jobs WHERE id < ? \(condition) ORDER BY id DESC LIMIT ?"
            return try all(sql, [bound, limit]) { try JobRow(&$0) }
        }
        // One project after the other, by the index: what others have is never read.
        let sql = """
            SELECT \(JobRow.columns) FROM jobs INDEXED BY jobs_by_project
            WHERE project = ? AND id < ? \(condition) ORDER BY id DESC LIMIT ?
            """
        let found = try projects.flatMap { try all(sql, [$0, bound, limit]) { try JobRow(&$0) } }
        return Array(found.sorted { $0.id > $1.id }.prefix(limit))
    }

    /// Every job that has a runner.
    package func assignedJobs() throws -> [JobRow] {
        try all(
            "SELECT \(JobRow.columns) FROM jobs INDEXED BY jobs_by_state WHERE state <> 3 AND state IN (4, 5)"
        ) { try JobRow(&$0) }
    }

    package func queuedCount() throws -> Int { try tally()[.queued] ?? 0 }

    package func runningCount() throws -> Int {
        let tally = try tally()
        return (tally[.assigned] ?? 0) + (tally[.running] ?? 0)
    }

    /// Moves a job through its table. An event that the table refuses throws `.refused` and writes nothing.
    @discardableResult
    package func advance(
        job id: UInt64, on event: JobEvent, reason: String = "", at now: Int64
    ) throws -> Advance<Wire.JobState> {
        guard let number = try one("SELECT state FROM jobs WHERE id = ?", [Self.key(id)], read: { $0.next() as Int64 })
        else {
            throw StoreError.refused("no job \(id)")
        }
        guard let state = UInt8(exactly: number).flatMap({ JobModel.JobState(rawValue: $0) }) else {
            throw StoreError.damagedRow(DamagedRow(.job(id), "state \(number) of job \(id)"))
        }
        let cell = state.cell(on: event)
        switch cell.outcome {
        case .refused:
            throw StoreError.refused("job \(id) is \(state.label), '\(event.rawValue)': \(cell.guarantee)")
        case .ignored: return .ignored
        case .stays: return .stayed
        case .moves(let next):
            guard let next = Wire.JobState(rawValue: next.rawValue) else { throw StoreError.failed("no such state") }
            try write(job: id, next, reason: reason, at: now)
            return .moved(next)
        }
    }

    private func write(job id: UInt64, _ state: Wire.JobState, reason: String, at now: Int64) throws {
        try run(
            """
            UPDATE jobs SET state = ?1, reason = ?2, started_ms = coalesce(started_ms, ?3), finished_ms = ?4,
                ended_at = CASE WHEN ?4 IS NOT NULL THEN \(Self.houseKept) END WHERE id = ?5
            """,
            [state.rawValue, reason, state == .running ? now : nil, state.isFinal ? now : nil, Self.key(id)])
        try note(job: id, reason.isEmpty ? state.label : "\(state.label): \(reason)", at: now)
        changes.append(JobChange(job: id, state: state, reason: reason))
    }

    /// The wish to cancel outlives schedulerd.
    package func noteCancel(job id: UInt64, graceSeconds: UInt32) throws {
        try run(
            "UPDATE jobs SET cancel_requested = 1, cancel_grace = ? WHERE id = ?",
            [Int64(graceSeconds), Self.key(id)])
    }

    /// Why it is to end, while it still runs.
    package func noteReason(job id: UInt64, _ reason: String) throws {
        try run("UPDATE jobs SET reason = ? WHERE id = ?", [reason, Self.key(id)])
    }

    /// The result that the runner reported, beside the state that it led to.
    package func setResult(job id: UInt64, _ result: JobResult, logBytes: UInt64) throws {
        try run(
            "UPDATE jobs SET result = ?, log_bytes = ? WHERE id = ?",
            [Self.blob(try Self.bytes(result)), Self.key(logBytes), Self.key(id)])
    }
}
