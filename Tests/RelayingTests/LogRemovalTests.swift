// Logs that are kept no longer: what goes, what stays, and what a link cannot reach.

import Files
import Link
import LogStore
import Posix
import Testing
import Wire

@Suite struct LogRemovalTests {
    private func settled(_ store: LogStore, _ job: UInt64, attempts: ClosedRange<UInt32> = 1...1) throws {
        for attempt in attempts {
            let log = try store.begin(Sample.job(job, attempt: attempt))
            log.stage(
                output: Array("once".utf8), number: log.durable + 1, reaching: LogPoint(number: log.durable + 1))
            try log.stage(event: Sample.jobEnded(), number: log.durable + 2)
            _ = try log.commit()
            try store.settle(Sample.attempt(job, attempt), keepsNumber: true)
        }
    }

    @Test func allAttemptsOfOneJobGo() throws {
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 100)
        try settled(store, 7, attempts: 1...3)
        try settled(store, 77)
        try store.remove(job: 7)
        #expect(directory.entries("jobs") == ["77"])
        #expect(try directory.bytes("jobs/77/1/log") == Array("once".utf8))
        #expect(throws: StoreError.notFound) { _ = try store.openLog(Sample.attempt(7)) }
        try store.remove(job: 7)
        try store.remove(job: 123_456)
    }

    /// Who reads it has it until the end.
    @Test func aReaderKeepsWhatItHas() throws {
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 100)
        try settled(store, 7)
        let reader = try store.openLog(Sample.attempt(7))
        try store.remove(job: 7)
        #expect(try Posix.pread(reader.raw, maximum: 100, at: 0) == Array("once".utf8))
    }

    /// Over the edge: an attempt that is not settled keeps all logs of its job, also after a restart.
    @Test func anOpenAttemptKeepsThem() throws {
        let directory = try TemporaryDirectory()
        do {
            let store = try LogStore(state: directory.path, limit: 100)
            try settled(store, 7)
        }
        var world = try RelayWorld(directory: directory)
        _ = try world.call(Sample.job(attempt: 2))
        world = try RelayWorld(directory: directory)
        do {
            _ = try world.call(RelayEdge.RemoveLogs(job: 7))
            Issue.record("removed under an open attempt")
        } catch let failure as Failure {
            #expect(failure.errorCode == .conflict)
        }
        #expect(directory.entries("jobs/7") == ["1", "2"])
        _ = try world.call(RelayEdge.SettleJob(attempt: Sample.attempt(7, 2)))
        _ = try world.call(RelayEdge.RemoveLogs(job: 7))
        #expect(directory.entries("jobs").isEmpty)
        _ = try world.call(RelayEdge.RemoveLogs(job: 7))
    }

    enum Place: String, CaseIterable {
        case job = "jobs/7"
        case attempt = "jobs/7/1"
        case log = "jobs/7/1/log"
    }

    /// A link goes; what it points to stays, a directory with a log in it or a file.
    @Test(arguments: Place.allCases, [false, true])
    func nothingIsRemovedThroughALink(place: Place, toFile: Bool) throws {
        let outside = try TemporaryDirectory()
        for name in ["1", "log"] { try Posix.mkdir("\(outside.path)/\(name)", mode: 0o700) }
        for name in ["1/log", "log/x", "file"] { try outside.put([1], name) }
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 100)
        for parent in ["jobs/7", "jobs/7/1"] where parent.count < place.rawValue.count {
            try Posix.mkdir("\(directory.path)/\(parent)", mode: 0o700)
        }
        try Posix.symlink(outside.path + (toFile ? "/file" : ""), "\(directory.path)/\(place.rawValue)")
        try store.remove(job: 7)
        #expect(directory.entries("jobs").isEmpty)
        #expect(outside.entries("") == ["1", "file", "log"])
        #expect(outside.entries("1") == ["log"] && outside.entries("log") == ["x"])
    }

    /// Nothing is removed out of a `jobs` that is a link itself, nor deeper than logs lie.
    @Test func whatIsNoneOfOursStays() throws {
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 100)
        try Posix.mkdir("\(directory.path)/jobs/7", mode: 0o700)
        try Posix.mkdir("\(directory.path)/jobs/7/1", mode: 0o700)
        try Posix.mkdir("\(directory.path)/jobs/7/1/log", mode: 0o700)
        try directory.put([1], "jobs/7/1/log/deep")
        #expect(throws: StoreError.self) { try store.remove(job: 7) }
        #expect(directory.entries("jobs/7/1/log") == ["deep"])
        try Posix.rename("\(directory.path)/jobs", to: "\(directory.path)/elsewhere")
        try Posix.symlink("\(directory.path)/elsewhere", "\(directory.path)/jobs")
        try directory.put([1], "elsewhere/8")
        #expect(throws: StoreError.self) { try store.remove(job: 8) }
        #expect(directory.entries("elsewhere") == ["7", "8"])
    }

    /// One call does so much and no more, whatever lies there; called again and again, it comes to the end.
    @Test func oneCallIsBounded() throws {
        let directory = try TemporaryDirectory()
        let store = try LogStore(state: directory.path, limit: 100)
        try Posix.mkdir("\(directory.path)/jobs/7", mode: 0o700)
        for attempt in 1...200 {
            try Posix.mkdir("\(directory.path)/jobs/7/\(attempt)", mode: 0o700)
            if attempt % 2 == 0 { try directory.put([1], "jobs/7/\(attempt)/log") }
        }
        var calls = 0
        var isGone = false
        while !isGone, calls < 10 {
            let before = directory.entries("jobs/7").count
            calls += 1
            do throws(StoreError) {
                try store.remove(job: 7)
                isGone = true
            } catch {
                #expect(error == .unfinished)
            }
            let after = directory.entries("jobs/7").count
            #expect(before - after <= LogStore.removalLimit && before > after)
        }
        // 200 directories, 100 files, and the job's own.
        #expect(isGone && calls == 301 / LogStore.removalLimit + 1)
        #expect(directory.entries("jobs").isEmpty)
    }
}
