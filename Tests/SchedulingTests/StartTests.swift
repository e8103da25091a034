// A start takes as long as what is alive, and not as long as what was.

import Files
import GRDB
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct StartTests {
    /// A database of which the first page of one table is not what it was.
    private func damaged(_ table: String) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        var store: Store? = try Store(path: directory.database)
        try store?.write { rows throws in _ = try Samples.insert(rows, "a") }
        store = nil
        let page = try DatabaseQueue(path: directory.database).read { db in
            try Int.fetchOne(db, sql: "SELECT rootpage FROM sqlite_master WHERE name = ?", arguments: [table])
        }
        var bytes = try Posix.readFile(directory.database, limit: 16 << 20)
        bytes[(try #require(page) - 1) * 4096] ^= 0xFF
        try Posix.replaceFile(directory.database, with: bytes, mode: 0o600)
        return directory
    }

    /// Of a large file: what a start and a dispatch are built on, and not the history.
    @Test func aLargeFileIsNotReadToItsEnd() throws {
        let history = try damaged("happenings")
        #expect(throws: StoreError.self) { try Store(path: history.database) }
        _ = try Store(path: history.database, wholeUpTo: 0)
        for table in ["meta", "queues", "ranks", "runners", "sources"] {
            let decisive = try damaged(table)
            #expect(throws: StoreError.self, "\(table)") { try Store(path: decisive.database, wholeUpTo: 0) }
        }
    }

    /// A row that is looked at is found to be damaged: so one can see which are.
    @Test func jobsWithTagsAreLookedAtWhenTheTagsAreOthers() throws {
        let house = try House { $0.tags = ["ssd"] }
        let job = try house.submit("tagged") { $0.schedule.tags = ["big"] }
        try house.patch("UPDATE jobs SET schedule = x'00' WHERE id = \(job)")
        try house.restart()
        house.settle()
        #expect(try house.state(job) == .queued)
        house.settings.tags = ["ssd", "big"]
        try house.restart()
        try house.run("lost") { try house.state(job) == .lost }
    }

    @Test func whatHasEndedIsNotCountedAnew() throws {
        let house = try House(maxRunners: 1)
        let (job, attempt) = try house.told()
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.patch("UPDATE tally SET jobs = 7 WHERE state = 6")
        try house.store.write { rows throws in #expect(try !rows.mendLines()) }
        try house.patch("UPDATE tally SET jobs = 7 WHERE state = 3")
        try house.store.write { rows throws in
            #expect(try rows.mendLines())
            #expect(try rows.tally()[.succeeded] == 1, "then it is")
        }
    }
}
