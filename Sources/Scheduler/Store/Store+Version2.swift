// Schema version 2: projects, trust, tickets, grants. Shapes and specs have new fields, so what version 1 stored of
// them is written anew.

import Foundation
import GRDB
import Wire

extension Store {
    /// What version 1 holds is of the project `default`, names no secret and is trusted by nobody. 3 is untrusted.
    private static let script = """
        ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
        ALTER TABLE jobs ADD COLUMN trust INTEGER NOT NULL DEFAULT 3 CHECK (trust BETWEEN 1 AND 3);
        -- brokerd's word, as it came; NULL in jobs from before there were tickets.
        ALTER TABLE jobs ADD COLUMN ticket BLOB;
        -- 1: brokerd is asked for a grant before a runner is told.
        ALTER TABLE jobs ADD COLUMN needs_grant INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE runners ADD COLUMN trust INTEGER NOT NULL DEFAULT 3 CHECK (trust BETWEEN 1 AND 3);
        -- The directory that brokerd has prepared for it; spawnerd is asked for no container before it is here.
        ALTER TABLE runners ADD COLUMN grant_id BLOB;
        -- 1: the runner has read its grant.
        ALTER TABLE attempts ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;

        -- Runners of equal shape and trust are interchangeable. The heads of the queues without grants are found as
        -- fast while brokerd releases nothing.
        DROP INDEX jobs_queue_by_shape;
        CREATE INDEX jobs_queue_by_pool ON jobs (shape, trust, id) WHERE state = 3;
        CREATE INDEX jobs_plain_queue ON jobs (id) WHERE state = 3 AND needs_grant = 0;
        CREATE INDEX jobs_plain_queue_by_pool ON jobs (shape, trust, id) WHERE state = 3 AND needs_grant = 0;
        """

    static func version2(_ db: Database) throws {
        try db.execute(sql: script)
        // A row that does not read was damaged before, and stays so: whoever meets it gives it up.
        for row in try Row.fetchAll(db, sql: "SELECT id, bytes FROM shapes") {
            guard let bytes = recoded(row["bytes"], Version1.shape) else { continue }
            try db.execute(
                sql: "UPDATE shapes SET bytes = ? WHERE id = ?", arguments: [bytes, row["id"] as Int64])
        }
        let jobs = try Int64.fetchAll(db, sql: "SELECT id FROM jobs")
        for id in jobs {
            guard let old = try Data.fetchOne(db, sql: "SELECT spec FROM jobs WHERE id = ?", arguments: [id]),
                let bytes = recoded(old, Version1.spec)
            else { continue }
            try db.execute(sql: "UPDATE jobs SET spec = ? WHERE id = ?", arguments: [bytes, id])
        }
    }

    private static func recoded<M: WireMessage>(
        _ old: Data, _ read: (inout WireReader) throws(WireError) -> M
    ) -> Data? {
        var reader = WireReader([UInt8](old))
        guard let message = try? read(&reader), (try? reader.finish()) != nil, let bytes = try? message.encoded() else {
            return nil
        }
        return Data(bytes)
    }
}

/// The encodings of version 1.
private enum Version1 {
    static func shape(_ reader: inout WireReader) throws(WireError) -> RunnerShape {
        RunnerShape(
            image: try reader.text(short: 1, 255, "image"), platform: try Platform(from: &reader),
            profile: try Profile(from: &reader), resources: try Resources(from: &reader), untrustedSteps: false)
    }

    static func spec(_ reader: inout WireReader) throws(WireError) -> JobSpec {
        let name = try reader.text(short: 1, 128, "name")
        let shape = try shape(&reader)
        let timeout = try reader.u32()
        var env: [Variable] = []
        for _ in 0..<(try reader.count(0, 64, each: 4, "env")) { env.append(try Variable(from: &reader)) }
        var steps: [Step] = []
        for _ in 0..<(try reader.count(1, 32, each: 9, "steps")) {
            steps.append(
                Step(
                    name: try reader.text(short: 1, 128, "name"), run: try reader.text(short: 1, 16384, "run"),
                    timeoutSeconds: try reader.u32(), continueOnError: try reader.bool(), untrusted: false, secrets: [])
            )
        }
        return JobSpec(name: name, shape: shape, timeoutSeconds: timeout, env: env, steps: steps)
    }
}
