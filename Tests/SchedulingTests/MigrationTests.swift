// A database of version 1 becomes one of version 2: its jobs are read and run as before.

import Foundation
import GRDB
import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct MigrationTests {
    /// A file as the first release left it: an ended job, one that waits, and one whose spec cannot be read.
    private func oldFile(_ directory: TemporaryDirectory) throws {
        _ = try Store(path: directory.database, schema: 1)
        let queue = try DatabaseQueue(path: directory.database)
        let (shape, spec) = try Self.encodings()
        try queue.write { db in
            #expect(try Int.fetchOne(db, sql: "PRAGMA user_version") == 1)
            try db.execute(sql: "INSERT INTO meta (key, value) VALUES ('instance', 'test'), ('epoch', 4)")
            try db.execute(sql: "INSERT INTO shapes (id, bytes) VALUES (7, ?)", arguments: [Data(shape)])
            for (id, state, bytes) in [(1, 6, spec), (2, 3, spec), (3, 6, [0xFF])] {
                try db.execute(
                    sql: """
                        INSERT INTO jobs (id, request_id, name, image, shape, spec, timeout_seconds, state, created_ms)
                        VALUES (?, ?, 'hello', 'busybox', 7, ?, 60, ?, 1)
                        """, arguments: [id, "r\(id)", Data(bytes), state])
            }
            let runner = Data([UInt8](repeating: 5, count: 16))
            try db.execute(
                sql: "INSERT INTO runners (id, shape, state, wanted, created_ms) VALUES (?, 7, 5, 0, 1)",
                arguments: [runner])
        }
    }

    /// A shape and a spec as version 1 encoded them: without what is new at the end of a shape and of each step.
    private static func encodings() throws -> (shape: [UInt8], spec: [UInt8]) {
        let shape = try Samples.shape().encoded().dropLast(2)
        let spec = Samples.spec()
        var writer = WireWriter()
        try writer.text(short: spec.name, 1, 128, "name")
        writer.bytes += shape
        writer.u32(spec.timeoutSeconds)
        try writer.count(spec.env.count, 0, 64, "env")
        for variable in spec.env { try variable.encode(to: &writer) }
        try writer.count(spec.steps.count, 1, 32, "steps")
        for step in spec.steps { writer.bytes += try step.encoded().dropLast(4) }
        return (Array(shape), writer.bytes)
    }

    /// As version 12 encoded it: without what a job leaves, and without when a step runs.
    private static func encoding12(_ spec: JobSpec) throws -> [UInt8] {
        var writer = WireWriter()
        try writer.text(short: spec.name, 1, 128, "name")
        try spec.shape.encode(to: &writer)
        writer.u32(spec.timeoutSeconds)
        writer.u32(spec.silenceSeconds)
        try writer.count(spec.env.count, 0, 64, "env")
        for variable in spec.env { try variable.encode(to: &writer) }
        try writer.count(spec.steps.count, 1, 32, "steps")
        for step in spec.steps {
            var bytes = try step.encoded()
            bytes.remove(at: bytes.count - 3)
            writer.bytes += bytes
        }
        return writer.bytes
    }

    @Test func jobsOfBeforeArtifactsAreRead() throws {
        let directory = try TemporaryDirectory()
        var spec = Samples.spec()
        spec.silenceSeconds = 7
        do {
            let store = try Store(path: directory.database, schema: 12)
            try store.write { rows in try Samples.insert(rows, "a") }
        }
        let queue = try DatabaseQueue(path: directory.database)
        let old = try Self.encoding12(spec)
        try queue.write { try $0.execute(sql: "UPDATE jobs SET spec = ?", arguments: [Data(old)]) }
        try queue.close()
        try Store(path: directory.database).write { rows throws in #expect(try rows.spec(ofJob: 1) == spec) }
    }

    @Test func oldRowsAreReadAsWhatTheyWere() throws {
        let directory = try TemporaryDirectory()
        try oldFile(directory)
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            let job = try #require(try rows.job(1))
            #expect(job.project == "default" && job.trust == .untrusted && !job.needsGrant)
            #expect(
                try rows.definition(of: job)
                    == JobDefinition(project: "default", spec: Samples.spec(), source: nil, schedule: .usual))
            #expect(try rows.ticket(ofJob: 1) == nil)
            #expect(try rows.shape(7) == Samples.shape() && rows.key(of: Samples.shape()) == 7)
            let runner = try #require(try rows.runners().first)
            #expect(runner.grant == nil && runner.trust == .untrusted)
            #expect(throws: StoreError.self) { try rows.spec(ofJob: 3) }
            let line = try #require(try rows.nextLine(plain: true) { _ in true })
            #expect(line.head == 2 && line.project == "default")
            #expect(try rows.tally() == [.succeeded: 2, .queued: 1])
        }
    }

    @Test func anOldJobThatWaitedRuns() throws {
        let directory = try TemporaryDirectory()
        try oldFile(directory)
        let house = try House(in: directory)
        #expect(house.scheduler.epoch == 5)
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == 2 } }
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(2, to: .succeeded)
        try house.expectEmpty()
        #expect(house.broker.count("grant") == 0)
        let again = SchedulerEdge.SubmitJob(
            token: Samples.token, requestId: "r1",
            definition: JobDefinition(project: "default", spec: Samples.spec(), source: nil, schedule: .usual),
            order: nil)
        #expect(try house.call(again) == .init(job: 1, created: false), "the old request finds its old job")
    }

    /// Whose turn it is, and what waits, is as it was in version 4.
    @Test func linesKeepTheirOrder() throws {
        let directory = try TemporaryDirectory()
        let old = try Store(path: directory.database, schema: 4)
        try DatabaseQueue(path: directory.database).write { db in
            for number in 0..<4 {
                let bytes = Data(try Samples.shape("i\(number)").encoded())
                try db.execute(sql: "INSERT INTO shapes (bytes) VALUES (?)", arguments: [bytes])
            }
        }
        try old.write { rows throws in
            for (number, project) in ["much", "little", "much", "none"].enumerated() {
                let definition = Samples.definition(image: "i\(number)", project: project)
                try Samples.insert(rows, "\(number)", definition)
            }
        }
        try DatabaseQueue(path: directory.database).write { db in
            for (project, turn) in [("much", 9000), ("little", 3000), ("none", 6000)] {
                for table in ["shares", "queues"] {
                    try db.execute(
                        sql: "UPDATE \(table) SET turn = ? WHERE project = ?", arguments: [turn, project])
                }
            }
        }
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            #expect(try !rows.mendLines(), "the migration has left nothing to mend")
            var (walk, order): (LineWalk, [String]) = (LineWalk(), [])
            while let line = try rows.nextLine(&walk, plain: false, where: { _ in true }) { order.append(line.project) }
            #expect(order == ["little", "none", "much", "much"])
            #expect(try rows.inLine() == 4)
        }
    }

    /// By the time of the house, which nobody has kept for them, they have ended and come just now.
    @Test func whatEndedBeforeIsKeptFromTheUpgradeOn() throws {
        let directory = try TemporaryDirectory()
        _ = try Store(path: directory.database, schema: 5)
        try DatabaseQueue(path: directory.database).write { db in
            try db.execute(
                sql: """
                    UPDATE meta SET value = 5000 WHERE key = 'house_ms';
                    INSERT INTO shapes (id, bytes) VALUES (7, x'00');
                    INSERT INTO jobs (id, request_id, name, image, shape, spec, timeout_seconds, state, created_ms,
                        finished_ms) VALUES (1, 'r1', 'ended', 'busybox', 7, x'00', 60, 6, 1, 2);
                    INSERT INTO sources (sha, size, claims, touched_ms) VALUES (zeroblob(32), 1, 1, 3);
                    """)
        }
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            #expect(try rows.ended(before: 5000, count: 9).isEmpty && rows.ended(before: 5001, count: 9).count == 1)
            #expect(try rows.retireSources(givingUpBefore: 5000).isEmpty)
            #expect(try rows.retireSources(givingUpBefore: 5001).count == 1)
        }
    }

    /// What waits for an approval asks anew what it is based on; an approval without a branch is none, and who has
    /// asked for it is known and not heard again.
    @Test func approvalsOfBeforeNameNoBranch() throws {
        let directory = try TemporaryDirectory()
        _ = try Store(path: directory.database, schema: 12)
        let queue = try DatabaseQueue(path: directory.database)
        try queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO deliveries (id, project, body, word, number, received_ms, state, what, text, base)
                    VALUES (1, 'shop', x'01', x'00', 7, 1, 2, '', '', 'b'),
                        (2, 'shop', x'02', x'00', 8, 1, 2, '', '', ''),
                        (3, 'shop', x'03', x'00', 0, 1, 3, '', '', '');
                    INSERT INTO delivery_jobs (delivery, name, job, open) VALUES
                        (1, 'test', 5, 0), (2, 'test', 6, 0), (3, '', NULL, 0);
                    INSERT INTO approvals VALUES ('shop', 7, x'00');
                    """)
        }
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            #expect(try rows.openJobs(of: 1).map(\.job) == [5] && rows.openJobs(of: 2).isEmpty)
            #expect(try rows.approval("shop", number: 7) == nil)
        }
        try queue.read { db throws in
            #expect(try Int.fetchAll(db, sql: "SELECT state FROM deliveries ORDER BY id") == [1, 2])
            #expect(try Int.fetchAll(db, sql: "SELECT delivery FROM known_deliveries") == [3])
            #expect(try Int.fetchOne(db, sql: "SELECT count(base) FROM deliveries") == 0)
        }
    }

    @Test func anInterruptedMigrationLeavesTheFileAsItWas() throws {
        let directory = try TemporaryDirectory()
        try oldFile(directory)
        // Something is in the way of one of its statements.
        let queue = try DatabaseQueue(path: directory.database)
        try queue.write { try $0.execute(sql: "CREATE INDEX jobs_plain_queue ON jobs (name)") }
        #expect(throws: StoreError.self) { try Store(path: directory.database) }
        try queue.write { db in
            #expect(try Int.fetchOne(db, sql: "PRAGMA user_version") == 1)
            #expect(try db.columns(in: "jobs").contains { $0.name == "project" } == false)
            try db.execute(sql: "DROP INDEX jobs_plain_queue")
        }
        _ = try Store(path: directory.database)
    }
}
