// The files that an attempt leaves, on disk: nothing is lost, nothing is repeated, nothing outgrows its bound.

import Files
import LogStore
import Posix
import Synchronization
import Testing
import Wire

@Suite struct ArtifactStoreTests {
    static func stage(_ record: RunnerEdge.Record, _ number: UInt64, _ log: AttemptLog) throws {
        switch record {
        case .log(let chunk): log.stage(output: chunk.bytes, number: number, reaching: LogPoint(number: number))
        case .artifact(let chunk): log.stage(artifact: chunk.bytes, rule: chunk.rule, number: number)
        default: try log.stage(event: record, number: number)
        }
    }

    static func run(_ records: [RunnerEdge.Record], from number: UInt64 = 1, _ log: AttemptLog) throws {
        for (offset, record) in records.enumerated() {
            try stage(record, number + UInt64(offset), log)
            _ = try log.commit()
        }
    }

    static let job = Sample.job(artifacts: 3)
    static let records =
        [Sample.begun(0), Sample.log("out"), Sample.ended(0), Sample.ended(1, .skipped)]
        + [Sample.piece("first "), Sample.piece("second "), Sample.piece("third"), Sample.left(2)]
        + [Sample.piece("given up", rule: 1), Sample.left(0, rule: 1, problem: "its time ended")]
        + [Sample.piece("last", rule: 2), Sample.left(1, rule: 2), Sample.jobEnded()]

    static func store(_ directory: TemporaryDirectory, limit: UInt64 = 100, disk: Disk = .real) throws -> LogStore {
        try LogStore(state: directory.path, limit: 1 << 20, artifactLimit: limit, disk: disk)
    }

    /// What is given out, or why nothing is.
    static func given(_ store: LogStore, _ rule: UInt16, _ attempt: Attempt = Sample.attempt()) throws -> String {
        do throws(StoreError) {
            let files = try store.artifactEnd(attempt, rule: rule).files
            let file = try store.openArtifact(attempt, rule: rule)
            let bytes = try stored { () throws(PosixError) in try Posix.pread(file.raw, maximum: 1000, at: 0) }
            return "\(files): \(String(decoding: bytes, as: UTF8.self))"
        } catch .nothing(let why) {
            return why
        }
    }

    static func expectAll(_ store: LogStore) throws {
        #expect(try given(store, 0) == "2: first second third")
        #expect(try given(store, 1) == "its time ended")
        #expect(try given(store, 2) == "1: last")
        #expect(try given(store, 3) == "this attempt has left nothing by this rule")
    }

    @Test func whatAJobLeavesIsThereUntilItIsRemoved() throws {
        let directory = try TemporaryDirectory()
        var store = try Self.store(directory)
        let log = try store.begin(Self.job)
        for (index, record) in Self.records.enumerated() {
            try Self.stage(record, UInt64(index + 1), log)
            // Not before it is on disk.
            if index == 7 { #expect(try Self.given(store, 0) == "this attempt has left nothing by this rule") }
            _ = try log.commit()
        }
        #expect(log.events == Sample.events(Self.records))
        try Self.expectAll(store)
        // Before and after it is settled, and in the next life.
        store = try Self.store(directory)
        try Self.expectAll(store)
        try store.settle(Sample.attempt(), keepsNumber: true)
        try Self.expectAll(store)
        store = try Self.store(directory)
        try Self.expectAll(store)
        let reader = try store.openArtifact(Sample.attempt(), rule: 0)
        #expect(throws: PosixError.self) { try Posix.writeAll(reader.raw, [1]) }
        try store.removeArtifacts(job: 7)
        try store.removeArtifacts(job: 7)
        try store.removeArtifacts(job: 8)
        #expect(try Self.given(store, 0) == "this attempt has left nothing by this rule")
        #expect(directory.entries("jobs/7/1") == ["log"])
        #expect(try Posix.pread(reader.raw, maximum: 5, at: 0) == Array("first".utf8))
    }

    /// The process dies after every possible byte that it writes; the next one goes on with what it finds, and the
    /// runner repeats what was not acknowledged.
    @Test(arguments: 1...3) func aKillAtEveryByteLosesAndRepeatsNothing(together: Int) throws {
        let records = Self.records
        var total = Int.max
        var budget = 0
        while budget < total {
            let directory = try TemporaryDirectory()
            let (acknowledged, died, written) = try firstLife(directory, together, budget: budget)
            if !died { total = written }
            let store = try Self.store(directory)
            #expect(store.notes.isEmpty)
            let log = try store.begin(Self.job)
            #expect(log.durable >= acknowledged && log.durable <= UInt64(records.count))
            let kept = Array(records[..<Int(log.durable)])
            for rule in [0, 2] as [UInt16] {
                let bytes = (try? directory.bytes("jobs/7/1/artifact-\(rule)")) ?? []
                #expect(bytes == Sample.archive(kept, rule: rule), "budget \(budget)")
            }
            try Self.run(Array(records[Int(log.durable)...]), from: log.durable + 1, log)
            #expect(log.events == Sample.events(records))
            try Self.expectAll(store)
            try store.settle(Sample.attempt(), keepsNumber: false)
            try Self.expectAll(store)
            let givenUp = (try? directory.bytes("jobs/7/1/artifact-1")) ?? []
            #expect(givenUp == [], "what was given up takes no room")
            budget += 1
        }
        #expect(total > 500)
    }

    private func firstLife(
        _ directory: TemporaryDirectory, _ together: Int, budget: Int
    ) throws -> (acknowledged: UInt64, died: Bool, written: Int) {
        let spent = Mutex(0)
        let disk = Disk { (raw, bytes, position) throws(StoreError) in
            let room = spent.withLock { spent in
                defer { spent += bytes.count }
                return max(0, budget - spent)
            }
            try stored { () throws(PosixError) in try Posix.pwriteAll(raw, bytes.prefix(room), at: position) }
            if room < bytes.count { throw .conflict("killed") }
        }
        var number: UInt64 = 0
        do {
            let log = try Self.store(directory, disk: disk).begin(Self.job)
            for (index, record) in Self.records.enumerated() {
                try Self.stage(record, UInt64(index + 1), log)
                guard index % together == together - 1 || index == Self.records.count - 1 else { continue }
                _ = try log.commit()
                number = log.durable
            }
        } catch {
            return (number, true, spent.withLock { $0 })
        }
        return (number, false, spent.withLock { $0 })
    }

    @Test func aFullDiskLosesNothing() throws {
        let directory = try TemporaryDirectory()
        let isFull = Mutex(false)
        let disk = Disk { (raw, bytes, position) throws(StoreError) in
            let isFull = isFull.withLock { $0 }
            let count = isFull ? bytes.count / 2 : bytes.count
            try stored { () throws(PosixError) in try Posix.pwriteAll(raw, bytes.prefix(count), at: position) }
            if isFull { throw StoreError.full }
        }
        let store = try Self.store(directory, disk: disk)
        let log = try store.begin(Self.job)
        for (index, record) in Self.records.enumerated() {
            try Self.stage(record, UInt64(index + 1), log)
            isFull.withLock { $0 = true }
            let before = log.durable
            #expect(throws: StoreError.full) { try log.commit() }
            #expect(log.durable == before)
            isFull.withLock { $0 = false }
            if index % 3 == 0 { _ = try log.commit() }
        }
        _ = try log.commit()
        try Self.expectAll(store)
        try Self.expectAll(try Self.store(directory))
    }

    /// R9: nobody's disk is filled. A bound for all of them; what does not fit takes no room.
    @Test(arguments: [false, true]) func beyondTheLimitAnArchiveIsDropped(restart: Bool) throws {
        let directory = try TemporaryDirectory()
        var store = try Self.store(directory, limit: 10)
        var log = try store.begin(Self.job)
        try Self.run([Sample.piece("12345"), Sample.left(1), Sample.piece("12345", rule: 1)], log)
        try Self.run([Sample.piece("6", rule: 1), Sample.piece("7", rule: 1)], from: 4, log)
        if restart {
            store = try Self.store(directory, limit: 1000)
            log = try store.begin(Self.job)
        }
        #expect(try directory.bytes("jobs/7/1/artifact-1") == [])
        try Self.run([Sample.piece("8", rule: 1), Sample.left(9, rule: 1)], from: 6, log)
        try Self.run([Sample.piece("54321", rule: 2), Sample.left(1, rule: 2), Sample.jobEnded()], from: 8, log)
        #expect(try Self.given(store, 0) == "1: 12345")
        #expect(try Self.given(store, 2) == "1: 54321")
        let limit = restart ? 1000 : 10
        #expect(
            try Self.given(store, 1)
                == "the files that a job leaves may have \(limit) bytes here, and these have more")
        #expect(try directory.bytes("jobs/7/1/artifact-1") == [])
    }

    /// A journal of pieces alone is written anew now and then, and says the same afterwards.
    @Test func theJournalIsBounded() throws {
        let directory = try TemporaryDirectory()
        let log = try Self.store(directory, limit: 1 << 30).begin(Self.job)
        try Self.run([Sample.piece("begun"), Sample.left(1)], log)
        var largest = 0
        for number in UInt64(3)..<60_000 {
            log.stage(artifact: [65], rule: 1, number: number)
            _ = try log.commit()
            if number % 1000 == 0 { largest = max(largest, try directory.bytes("open/7.1").count) }
        }
        #expect(largest > 1 << 19 && largest < 2 << 20)
        let store = try Self.store(directory, limit: 1 << 30)
        let next = try store.begin(Self.job)
        #expect(next.durable == 59_999 && next.begunArtifacts == [0, 1])
        #expect(try directory.bytes("jobs/7/1/artifact-1").count == 59_997)
        #expect(try Self.given(store, 0) == "1: begun")
    }

    // MARK: - Removal

    @Test func allAttemptsOfAJobAreForgotten() throws {
        let directory = try TemporaryDirectory()
        let store = try Self.store(directory)
        for attempt in 1...2 as ClosedRange<UInt32> {
            let log = try store.begin(Sample.job(attempt: attempt, artifacts: 3))
            try Self.run(Self.records, from: log.durable + 1, log)
            // The second is not settled; it has ended.
            if attempt == 1 { try store.settle(Sample.attempt(7, attempt), keepsNumber: true) }
        }
        try store.removeArtifacts(job: 7)
        #expect(directory.entries("jobs/7/1") == ["log"] && directory.entries("jobs/7/2") == ["log"])
        #expect(try Self.given(store, 0, Sample.attempt(7, 2)) == "what this attempt has left was removed")
        // It does not come back as zeros.
        let next = try Self.store(directory)
        #expect(try Self.given(next, 0, Sample.attempt(7, 2)) == "what this attempt has left was removed")
        try next.settle(Sample.attempt(7, 2), keepsNumber: true)
        #expect(try Self.given(next, 0, Sample.attempt(7, 2)) == "what this attempt has left was removed")
        try next.remove(job: 7)
        #expect(directory.entries("jobs").isEmpty)
    }

    @Test func theyGoWithTheLogs() throws {
        let directory = try TemporaryDirectory()
        let store = try Self.store(directory)
        try Self.run(Self.records, try store.begin(Self.job))
        try store.settle(Sample.attempt(), keepsNumber: true)
        #expect(directory.entries("jobs/7/1").count == 5)
        try store.remove(job: 7)
        #expect(directory.entries("jobs").isEmpty)
    }

    @Test func notWhileTheyAreMade() throws {
        let directory = try TemporaryDirectory()
        let store = try Self.store(directory)
        try Self.run(Array(Self.records.dropLast()), try store.begin(Self.job))
        #expect(throws: StoreError.conflict("an attempt of this job has not ended")) {
            try store.removeArtifacts(job: 7)
        }
        try Self.expectAll(store)
    }
}
