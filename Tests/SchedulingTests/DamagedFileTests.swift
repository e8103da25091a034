// The database's files as a crash, a bad copy or a bad disk leaves them: refused, or what was committed up to some
// point. F25.

import Files
import Posix
import Store
import Testing
import Wire

@Suite struct DamagedFileTests {
    private static let jobs = 20

    /// Both files of a database with so many commits; the second is empty if `isClosed`.
    private func files(isClosed: Bool) throws -> (database: [UInt8], log: [UInt8]) {
        let directory = try TemporaryDirectory()
        var store: Store? = try Store(path: directory.database)
        for number in 0..<Self.jobs {
            try store?.write { rows throws in _ = try Samples.insert(rows, "job \(number)", at: 5) }
        }
        if isClosed { store = nil }
        let log = directory.database + "-wal"
        let hasLog = try Posix.directoryEntries(directory.path).contains { $0.hasSuffix("-wal") }
        let found = (try read(directory.database), hasLog ? try read(log) : [])
        withExtendedLifetime(store) {}
        return found
    }

    private func read(_ path: String) throws -> [UInt8] {
        try Posix.readFile(path, limit: 16 << 20)
    }

    /// The jobs that a store finds in these files; nil if it refuses them.
    private func found(_ database: [UInt8], _ log: [UInt8]) throws -> [UInt64]? {
        let directory = try TemporaryDirectory()
        try Posix.replaceFile(directory.database, with: database, mode: 0o600)
        if !log.isEmpty { try Posix.replaceFile(directory.database + "-wal", with: log, mode: 0o600) }
        var ids: [UInt64] = []
        do throws(StoreError) {
            let store = try Store(path: directory.database)
            try store.read { rows in ids = try rows.jobs(before: 0, limit: 100, state: nil).map(\.id).reversed() }
            try store.write { rows throws in _ = try Samples.insert(rows, "next", at: 6) }
        } catch {
            return nil
        }
        return ids
    }

    @Test func aLogThatIsCutIsAnEarlierMoment() throws {
        let (database, log) = try files(isClosed: false)
        #expect(try found(database, log) == (1...UInt64(Self.jobs)).map { $0 })
        var random = SystemRandomNumberGenerator()
        var before = 0
        for length in (0..<60).map({ _ in Int.random(in: 0..<log.count, using: &random) }).sorted() {
            guard let ids = try found(database, Array(log[..<length])) else { continue }
            #expect(ids == (0..<UInt64(ids.count)).map { $0 + 1 }, "cut at \(length)")
            #expect(ids.count >= before, "cut at \(length)")
            before = ids.count
        }
        #expect(before > 0, "nothing was ever recovered")
    }

    @Test func aBitThatIsTurnedInTheLogIsAnEarlierMoment() throws {
        let (database, log) = try files(isClosed: false)
        for _ in 0..<60 {
            var turned = log
            let place = Int.random(in: 32..<log.count)
            turned[place] ^= 1 << UInt8.random(in: 0..<8)
            guard let ids = try found(database, turned) else { continue }
            #expect(ids == (0..<UInt64(ids.count)).map { $0 + 1 }, "turned at \(place)")
        }
    }

    /// SQLite has no checksums of pages: what is noticed is refused, and nothing ends the process.
    @Test func aBitThatIsTurnedInTheDatabaseEndsNobody() throws {
        let (database, log) = try files(isClosed: true)
        #expect(log.isEmpty)
        var refused = 0
        for round in 0..<150 {
            var turned = database
            // Half of them where SQLite keeps the order of a page.
            let page = Int.random(in: 0..<database.count / 4096) * 4096
            let place = round % 2 == 0 ? page + Int.random(in: 0..<64) : Int.random(in: 0..<database.count)
            turned[place] ^= 1 << UInt8.random(in: 0..<8)
            if try found(turned, []) == nil { refused += 1 }
        }
        #expect(refused > 5 && refused < 150, "\(refused) of 150 were refused")
    }
}
