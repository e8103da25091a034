// Numbers that were given out, beside a database that may be put back from a backup.

import Files
import Posix
import Scheduling
import Store
import Testing

@Suite struct HighWaterTests {
    /// What a start does with both, and a job.
    private struct Life {
        let store: Store
        let highWater: HighWater
        let epoch: UInt64

        init(_ directory: TemporaryDirectory) throws {
            let (store, highWater) = (
                try Store(path: directory.database), try HighWater(path: directory.path + "/high-water")
            )
            var claimed: UInt64 = 0
            try store.write { rows throws in
                claimed = try rows.nextEpoch(above: highWater.epoch)
                try highWater.begin(epoch: claimed, nextJob: try rows.nextJob(atLeast: highWater.nextJob))
            }
            (self.store, self.highWater, epoch) = (store, highWater, claimed)
        }

        func submit(_ request: String) throws -> UInt64 {
            var job: UInt64 = 0
            try store.write { rows throws in
                job = try Samples.insert(rows, request, at: 5)
                try highWater.cover(job: job)
            }
            return job
        }
    }

    @Test(arguments: [false, true])
    func aDatabaseFromABackupGivesNothingOutTwice(inPeace: Bool) throws {
        let (directory, older) = (try TemporaryDirectory(), try TemporaryDirectory())
        func start() throws -> Life { try Life(directory) }
        _ = try Life(older).submit("one")
        let first = try start()
        #expect(first.epoch == 1)
        #expect(try first.submit("one") == 1)
        #expect(try first.submit("two") == 2)
        let second = try start()
        #expect(second.epoch == 2)
        let last = try second.submit("three")
        if inPeace { try second.highWater.end() }

        // The file of a life that knew the first job alone, and has closed it.
        for end in ["-wal", "-shm"] { try? Posix.unlink(directory.database + end) }
        try Posix.rename(older.database, to: directory.database)
        let third = try start()
        #expect(third.epoch == 3)
        let next = try third.submit("four")
        #expect(inPeace ? next == last + 1 : next > last)
    }

    @Test func aPeacefulEndLeavesNothingOut() throws {
        let directory = try TemporaryDirectory()
        for number in UInt64(1)...200 {
            let life = try Life(directory)
            #expect(try life.submit("\(number)") == number)
            try life.highWater.end()
        }
    }

    @Test(arguments: ["1", "1 2", "1 2 3\n", "1 x\n", "-1 2\n", "18446744073709551616 1\n"])
    func whatCannotBeReadIsRefused(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/high-water"
        try Posix.replaceFile(path, with: Array(text.utf8), mode: 0o600)
        #expect(throws: StoreError.self) { try HighWater(path: path) }
    }
}
