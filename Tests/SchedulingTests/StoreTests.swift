// The database by itself.

import Files
import JobModel
import Posix
import Store
import Testing
import Wire

@Suite struct StoreTests {
    private func submit(_ store: Store, _ names: [String]) throws -> [UInt64] {
        var ids: [UInt64] = []
        try store.write { rows throws in
            ids = try names.map { try Samples.insert(rows, $0, at: 5) }
        }
        return ids
    }

    @Test func settingsAreTheDurableOnes() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        #expect(try store.setting("journal_mode") == "wal")
        #expect(try store.setting("synchronous") == "2", "FULL")
        #expect(try store.setting("foreign_keys") == "1")
        #expect(try store.setting("trusted_schema") == "0")
        #expect(try store.setting("cell_size_check") == "1")
        #expect(try store.setting("busy_timeout") == "5000")
    }

    @Test func whatIsWrittenIsThereAfterARestart() throws {
        let directory = try TemporaryDirectory()
        let ids = try submit(try Store(path: directory.database), ["a", "b"])
        var found: [UInt64] = []
        try Store(path: directory.database).write { found = try $0.jobs(before: 0, limit: 10, state: nil).map(\.id) }
        #expect(found == ids.reversed())
    }

    @Test func aRequestIDIsOneJob() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        let first = try submit(store, ["same"])
        #expect(try submit(store, ["same"]) == first)
    }

    @Test func pagesAreCutByKey() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        let ids = try submit(store, (0..<25).map { "job \($0)" })
        try store.write { rows throws in
            var seen: [UInt64] = []
            var before: UInt64 = 0
            while true {
                let page = try rows.jobs(before: before, limit: 10, state: .queued)
                if page.isEmpty { break }
                seen += page.map(\.id)
                before = page.last?.id ?? 0
            }
            #expect(seen == ids.reversed())
            #expect(try rows.jobs(before: .max, limit: 1, state: nil).map(\.id) == [ids[24]])
            #expect(try rows.jobs(before: 0, limit: 10, state: .lost).isEmpty)
            try rows.advance(job: ids[3], on: .withdrawn, at: 9)
            #expect(try rows.jobs(before: 0, limit: 10, state: .cancelled).map(\.id) == [ids[3]])
            #expect(try rows.job(.max) == nil, "an id beyond SQLite's is not found, and no trap")
        }
    }

    @Test func theQueueIsFirstInFirstOut() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        let ids = try submit(store, ["a", "b"])
        try store.write { rows throws in
            let pool = Pool(shape: try rows.key(of: Samples.shape()), trust: .untrusted)
            let line = try #require(try rows.nextLine(plain: false) { _ in true })
            #expect(line == Line(project: "shop", pool: pool, needsGrant: false, priority: 50, turn: 0, head: ids[0]))
            try rows.advance(job: ids[0], on: .withdrawn, at: 9)
            #expect(try rows.nextLine(plain: true) { _ in true }?.head == ids[1])
            #expect(try rows.nextLine(plain: false) { $0.pool.trust == .approved } == nil)
            #expect(try rows.waiting(pool) == 1)
            try rows.advance(job: ids[1], on: .withdrawn, at: 9)
            #expect(try rows.nextLine(plain: false) { _ in true } == nil)
        }
    }

    @Test func theTableOfStatesIsEnforced() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        let job = try submit(store, ["a"])[0]
        #expect(throws: StoreError.self) { try store.write { try $0.advance(job: job, on: .started, at: 1) } }
        try store.write { rows throws in
            #expect(try rows.job(job)?.state == .queued)
            #expect(try rows.advance(job: job, on: .withdrawn, at: 1) == .moved(.cancelled))
            #expect(try rows.advance(job: job, on: .runnerLost, at: 1) == .ignored)
            #expect(try rows.job(job)?.state == .cancelled)
        }
    }

    @Test func aSavepointUndoesItsOwn() throws {
        struct Stop: Error {}
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            _ = try Samples.insert(rows, "kept")
            #expect(throws: Stop.self) {
                try rows.savepoint {
                    _ = try Samples.insert(rows, "undone")
                    throw Stop()
                }
            }
            #expect(rows.takeChanges().count == 1)
            #expect(try rows.job(ofRequest: "kept") != nil && rows.job(ofRequest: "undone") == nil)
        }
    }

    @Test func anOldResultIsNotTaken() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        let job = try submit(store, ["a"])[0]
        try store.write { rows throws in
            let runner = Bytes16.random()
            let attempt = try rows.openAttempt(job: job, epoch: 7, runner: runner)
            var older = attempt
            older.epoch = 6
            #expect(try rows.attempt(attempt)?.runner == runner)
            #expect(try rows.attempt(older) == nil)
            #expect(try rows.closeAttempt(ofJob: job)?.told == false)
            #expect(try rows.attempt(attempt)?.state == .void)
        }
    }

    @Test func aNewerOrForeignOrDamagedDatabaseIsRefused() throws {
        let directory = try TemporaryDirectory()
        do { _ = try submit(try Store(path: directory.database), ["a"]) }
        try patch(directory.database, at: 60, [0, 0, 0, 99])
        #expect(throws: StoreError.newerDatabase(found: 99, known: 15)) { try Store(path: directory.database) }
        try patch(directory.database, at: 60, [0, 0, 0, 15])
        try patch(directory.database, at: 68, [1, 2, 3, 4])
        #expect(throws: StoreError.foreignDatabase) { try Store(path: directory.database) }
        try patch(directory.database, at: 68, Array("BULK".utf8))
        _ = try Store(path: directory.database)
        let size = Int(try Posix.lstat(directory.database).size)
        try patch(directory.database, at: size - 4096, [UInt8](repeating: 0xA5, count: 4096))
        #expect(throws: StoreError.self) { try Store(path: directory.database) }
    }

    /// Writes into the file's header (user_version is at 60, application_id at 68, big-endian) or pages.
    private func patch(_ path: String, at offset: Int64, _ bytes: [UInt8]) throws {
        let file = try Posix.open(path, [.readWrite])
        try Posix.pwriteAll(file.raw, bytes[...], at: offset)
    }

    private func patch(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
        try patch(path, at: Int64(offset), bytes)
    }

    @Test func anotherInstanceIsRefused() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in #expect(try rows.claimInstance("one") == "one") }
        #expect(throws: StoreError.otherInstance(found: "one", wanted: "two")) {
            try store.write { _ = try $0.claimInstance("two") }
        }
    }

    @Test func theEpochCountsStarts() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        for expected in UInt64(1)...3 {
            try store.write { rows throws in #expect(try rows.nextEpoch() == expected) }
        }
    }
}
