// What is on the medium, and not only in the machine's memory, when schedulerd hears of a job's end.

import Files
import LogStore
import Posix
import Synchronization
import Testing
import Wire

@Suite struct SyncTests {
    /// Writes and syncs in their order; files by their inode's size at that moment would say less than this.
    private final class Recorder: Sendable {
        enum Step: Equatable {
            case write(Int32)
            case sync(Int32)
        }

        let steps = Mutex<[Step]>([])
        let isBroken = Mutex(false)

        var disk: Disk {
            Disk(
                write: { [self] (raw, bytes, position) throws(StoreError) in
                    steps.withLock { $0.append(.write(raw)) }
                    try stored { () throws(PosixError) in try Posix.pwriteAll(raw, bytes, at: position) }
                },
                sync: { [self] (raw) throws(StoreError) in
                    if isBroken.withLock({ $0 }) { throw .system(.system(call: "fdatasync", errno: 5)) }
                    steps.withLock { $0.append(.sync(raw)) }
                    try Disk.realSync(raw)
                })
        }

        func take() -> [Step] {
            steps.withLock { steps in
                defer { steps = [] }
                return steps
            }
        }
    }

    private func commit(_ records: [RunnerEdge.Record], from number: UInt64, _ log: AttemptLog) throws {
        for (offset, record) in records.enumerated() {
            if case .log(let chunk) = record {
                let point = LogPoint(number: number + UInt64(offset))
                log.stage(output: chunk.bytes, number: point.number, reaching: point)
            } else {
                try log.stage(event: record, number: number + UInt64(offset))
            }
        }
        _ = try log.commit()
    }

    @Test func theEndIsToldWhenLogAndJournalAreOnTheMedium() throws {
        let directory = try TemporaryDirectory()
        let recorder = Recorder()
        let store = try LogStore(state: directory.path, limit: 1 << 20, disk: recorder.disk)
        let log = try store.begin(Sample.job())
        _ = recorder.take()
        try commit([Sample.begun(0), Sample.log("one")], from: 1, log)
        let hot = recorder.take()
        guard case .write(let logFile) = hot.first, case .write(let journal) = hot.last else {
            Issue.record("\(hot)")
            return
        }
        #expect(hot == [.write(logFile), .write(journal)], "nothing waits for the medium while the job runs")
        try commit([Sample.log("two"), Sample.jobEnded()], from: 3, log)
        let end = recorder.take()
        #expect(Array(end.prefix(2)) == [.write(logFile), .sync(logFile)], "the log first")
        let entry = try #require(end.firstIndex(of: .write(journal)))
        #expect(end.count { if case .sync = $0 { true } else { false } } == 6, "two files, four directories")
        #expect(end[(entry + 1)...].first == .sync(journal))
        try store.settle(Sample.attempt(), keepsNumber: false)
        #expect(recorder.take().isEmpty, "once is enough")
    }

    @Test func aJobThatIsGivenUpKeepsItsLog() throws {
        let directory = try TemporaryDirectory()
        let recorder = Recorder()
        let store = try LogStore(state: directory.path, limit: 1 << 20, disk: recorder.disk)
        try commit([Sample.begun(0), Sample.log("one")], from: 1, try store.begin(Sample.job()))
        _ = recorder.take()
        recorder.isBroken.withLock { $0 = true }
        #expect(throws: StoreError.self) { try store.settle(Sample.attempt(), keepsNumber: false) }
        #expect(directory.entries("open") == ["7.1"], "the journal stays while the log is not safe")
        recorder.isBroken.withLock { $0 = false }
        try store.settle(Sample.attempt(), keepsNumber: false)
        #expect(recorder.take().count == 6)
        #expect(directory.entries("open").isEmpty)
    }

    @Test func anEndThatIsNotOnTheMediumIsNotTold() throws {
        let directory = try TemporaryDirectory()
        let recorder = Recorder()
        let store = try LogStore(state: directory.path, limit: 1 << 20, disk: recorder.disk)
        let log = try store.begin(Sample.job())
        recorder.isBroken.withLock { $0 = true }
        let records = [Sample.begun(0), Sample.log("one"), Sample.jobEnded()]
        #expect(throws: StoreError.self) { try commit(records, from: 1, log) }
        #expect(log.ended == nil && log.durable == 0)
        recorder.isBroken.withLock { $0 = false }
        #expect(try log.commit() == Sample.events(records))
        #expect(log.ended != nil)
        let next = try LogStore(state: directory.path, limit: 1 << 20)
        #expect(try next.begin(Sample.job()).events == Sample.events(records), "nothing is there twice")
        #expect(try directory.bytes("jobs/7/1/log") == Array("one".utf8))
    }
}
