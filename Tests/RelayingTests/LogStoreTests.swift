import Files
import LogStore
import Posix
import Synchronization
import Testing
import Wire

@Suite struct LogStoreTests {
    private func stage(_ record: RunnerEdge.Record, _ number: UInt64, _ log: AttemptLog) throws {
        if case .log(let chunk) = record {
            log.stage(output: chunk.bytes, number: number, reaching: LogPoint(number: number))
        } else {
            try log.stage(event: record, number: number)
        }
    }

    private func run(_ records: [RunnerEdge.Record], from number: UInt64 = 1, _ log: AttemptLog) throws {
        for (offset, record) in records.enumerated() {
            try stage(record, number + UInt64(offset), log)
            _ = try log.commit()
        }
    }

    @Test func aLogIsWhatTheJobWrote() throws {
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 1 << 20)
        let log = try store.begin(Sample.job())
        let records = Sample.records(lines: 10)
        try run(records, log)
        #expect(try directory.bytes("jobs/7/1/log") == Sample.output(records))
        #expect(log.events == Sample.events(records))
        #expect(log.durable == UInt64(records.count))
        #expect(log.ended?.state == .succeeded)
        #expect(try store.begin(Sample.job()) === log)
        #expect(throws: StoreError.self) { try store.begin(Sample.job(steps: 3)) }
    }

    /// The process dies after every possible byte that it writes, to the log or to the journal; the next one goes on
    /// with what it finds, and the runner repeats what was not acknowledged. The log is the same every time.
    @Test func aKillAtEveryByteLosesAndRepeatsNothing() throws {
        let records = Sample.records(lines: 3)
        var total = Int.max
        var budget = 0
        while budget < total {
            let directory = try TemporaryDirectory()
            let (acknowledged, written) = try firstLife(directory, records, budget: budget)
            if !acknowledged.died { total = written }
            let store = try LogStore(state: directory.path, limit: 1 << 20)
            #expect(store.notes.isEmpty)
            let log = try store.begin(Sample.job())
            // Everything acknowledged is there, and nothing that was not sent.
            #expect(log.durable >= acknowledged.number)
            #expect(log.durable <= UInt64(records.count))
            let kept = Array(records[..<Int(log.durable)])
            #expect(try directory.bytes("jobs/7/1/log") == Sample.output(kept))
            #expect(log.events == Sample.events(kept))
            try run(Array(records[Int(log.durable)...]), from: log.durable + 1, log)
            #expect(try directory.bytes("jobs/7/1/log") == Sample.output(records))
            #expect(log.events == Sample.events(records))
            budget += 1
        }
        #expect(total > 500)
    }

    /// Writes until `budget` bytes are on disk, and dies in the middle of the write that would go beyond.
    private func firstLife(
        _ directory: TemporaryDirectory, _ records: [RunnerEdge.Record], budget: Int
    ) throws -> ((number: UInt64, died: Bool), written: Int) {
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
        var died = false
        do {
            let store = try LogStore(state: directory.path, limit: 1 << 20, disk: disk)
            let log = try store.begin(Sample.job())
            // Two records a commit, so that output, events and progress come in one write.
            for (index, record) in records.enumerated() {
                try stage(record, UInt64(index + 1), log)
                if index % 2 == 1 || index == records.count - 1 {
                    _ = try log.commit()
                    number = log.durable
                }
            }
        } catch {
            died = true
        }
        return ((number, died), spent.withLock { $0 })
    }

    @Test func aFullDiskLosesNothing() throws {
        let directory = try TemporaryDirectory()
        let isFull = Mutex(false)
        let disk = Disk { (raw, bytes, position) throws(StoreError) in
            let isFull = isFull.withLock { $0 }
            let count = isFull ? bytes.count / 2 : bytes.count
            try stored { () throws(PosixError) in try Posix.pwriteAll(raw, bytes.prefix(count), at: position) }
            if isFull { throw StoreError(.system(call: "pwrite", errno: 28)) }
        }
        let store = try LogStore(state: directory.path, limit: 1 << 20, disk: disk)
        let log = try store.begin(Sample.job())
        let records = Sample.records(lines: 5)
        for (index, record) in records.enumerated() {
            try stage(record, UInt64(index + 1), log)
            isFull.withLock { $0 = true }
            let before = log.durable
            #expect(throws: StoreError.full) { try log.commit() }
            #expect(log.durable == before)
            isFull.withLock { $0 = false }
            if index % 3 == 0 { _ = try log.commit() }
        }
        _ = try log.commit()
        #expect(try directory.bytes("jobs/7/1/log") == Sample.output(records))
        #expect(log.events == Sample.events(records))
        let next = try LogStore(state: directory.path, limit: 1 << 20)
        #expect(try next.begin(Sample.job()).events == Sample.events(records))
    }

    /// R9: endless output fills nobody's disk.
    @Test(arguments: [UInt64(10), 11, 12, 1]) func beyondTheLimitOutputIsCounted(limit: UInt64) throws {
        let directory = try TemporaryDirectory()
        var store = try LogStore(state: directory.path, limit: limit)
        var log = try store.begin(Sample.job())
        let lines = (0..<6).map { Sample.log("line\($0)") }
        try run(Array(lines[..<3]), log)
        // A restart in the middle counts on.
        store = try LogStore(state: directory.path, limit: limit)
        log = try store.begin(Sample.job())
        try run(Array(lines[3...]) + [Sample.jobEnded()], from: 4, log)
        let stored = try directory.bytes("jobs/7/1/log")
        #expect(Array(stored.prefix(Int(limit))) == Array(Sample.output(lines).prefix(Int(limit))))
        let rest = String(decoding: stored.dropFirst(Int(limit)), as: UTF8.self)
        #expect(rest == "\n[bulkhead: the log ends here, at its limit of \(limit) bytes; what follows is not stored]\n")
        #expect(log.dropped == 30 - limit)
        #expect(log.logEnd == UInt64(stored.count))
        #expect(log.ended != nil)
    }

    @Test func aLogOfExactlyTheLimitIsWhole() throws {
        let directory = try TemporaryDirectory()
        let log = try LogStore(state: directory.path, limit: 10).begin(Sample.job())
        try run([Sample.log("12345"), Sample.log("67890"), Sample.jobEnded()], log)
        #expect(try directory.bytes("jobs/7/1/log") == Array("1234567890".utf8))
        #expect(log.dropped == 0)
    }

    /// A job that writes a byte at a time must not fill the disk with its journal.
    @Test func theJournalIsBounded() throws {
        let directory = try TemporaryDirectory()
        let log = try LogStore(state: directory.path, limit: 1 << 30).begin(Sample.job())
        try run([Sample.begun(0)], log)
        var largest = 0
        for number in UInt64(2)..<80_000 {
            log.stage(output: [65], number: number, reaching: LogPoint(number: number))
            _ = try log.commit()
            if number % 1000 == 0 { largest = max(largest, try directory.bytes("open/7.1").count) }
        }
        #expect(largest < 2 << 20)
        let next = try LogStore(state: directory.path, limit: 1 << 30).begin(Sample.job())
        #expect(next.durable == 79_999)
        #expect(next.logEnd == 79_998)
        #expect(next.events == [Sample.begun(0)])
    }

    @Test func aSettledAttemptIsNeverWrittenAgain() throws {
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 1 << 20)
        try run([Sample.log("once"), Sample.jobEnded()], try store.begin(Sample.job()))
        try store.settle(Sample.attempt(), keepsNumber: false)
        try store.settle(Sample.attempt(), keepsNumber: false)
        #expect(directory.entries("open").isEmpty)
        #expect(throws: StoreError.self) { try store.begin(Sample.job()) }
        let reader = try store.openLog(Sample.attempt())
        #expect(try Posix.pread(reader.raw, maximum: 100, at: 0) == Array("once".utf8))
        #expect(throws: PosixError.self) { try Posix.writeAll(reader.raw, [1]) }
        #expect(throws: StoreError.notFound) { _ = try store.openLog(Sample.attempt(8)) }
    }

    /// A runner that gets a second job goes on numbering; so it must be known where it stood, also after a restart.
    @Test func aRunnersNumberOutlivesItsJob() throws {
        let directory = try TemporaryDirectory()
        var store = try LogStore(state: directory.path, limit: 1 << 20)
        try run([Sample.log("one"), Sample.jobEnded()], try store.begin(Sample.job(1)))
        try store.settle(Sample.attempt(1), keepsNumber: true)
        store = try LogStore(state: directory.path, limit: 1 << 20)
        #expect(store.durable(of: Sample.runner) == 2)
        let log = try store.begin(Sample.job(2))
        #expect(log.durable == 2)
        try run([Sample.log("two"), Sample.jobEnded()], from: 3, log)
        #expect(store.durable(of: Sample.runner) == 4)
        try store.settle(Sample.attempt(2), keepsNumber: true)
        try store.forget(Sample.runner)
        #expect(store.durable(of: Sample.runner) == 0)
        #expect(directory.entries("runners").isEmpty)
    }

    /// One file must not keep relayd from starting: garbage, an endless one, one that is no file at all.
    @Test func whatIsNoJournalIsNamedAndSetAside() throws {
        let directory = try TemporaryDirectory()
        do {
            let store = try LogStore(state: directory.path, limit: 100)
            try run([Sample.begun(0), Sample.log("good")], try store.begin(Sample.job(4)))
        }
        try directory.put([1, 2, 3], "open/5.1")
        try directory.put([1, 2, 3], "open/6.1.new")
        try directory.put([UInt8](repeating: 7, count: (8 << 20) + 1), "open/7.1")
        try Posix.mkdir(directory.path + "/open/8.2", mode: 0o700)
        try directory.put([1], "runners/\(Sample.runner.hex)")
        let keys = [(5, 1), (7, 1), (8, 2)].map { AttemptKey(Sample.attempt($0.0, $0.1)) }
        for life in 0..<2 {
            let store = try LogStore(state: directory.path, limit: 100)
            #expect(store.notes.count == (life == 0 ? 4 : 0))
            #expect(store.attempts.count == 1)
            #expect(try store.begin(Sample.job(4)).durable == 2, "the others are recovered")
            #expect(store.unreadable == Set(keys))
            #expect(throws: StoreError.self) { try store.begin(Sample.job(5)) }
        }
        #expect(directory.entries("open") == ["4.1"] && directory.entries("runners").isEmpty)
        #expect(Set(directory.entries("aside")) == ["5.1", "7.1", "8.2", Sample.runner.hex])
    }

    @Test func aJournalWhoseLogCannotBeOpenedIsSetAside() throws {
        let directory = try TemporaryDirectory()
        do {
            let store = try LogStore(state: directory.path, limit: 100)
            try run([Sample.begun(0), Sample.log("good")], try store.begin(Sample.job()))
        }
        try Posix.unlink(directory.path + "/jobs/7/1/log")
        try Posix.symlink("/etc/passwd", directory.path + "/jobs/7/1/log")
        let store = try LogStore(state: directory.path, limit: 100)
        #expect(store.unreadable == [AttemptKey(Sample.attempt())] && store.attempts.isEmpty)
    }
}
