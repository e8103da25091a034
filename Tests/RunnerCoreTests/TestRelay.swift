// One relayd, from its preamble to its death: journals the runner's records and acknowledges them.

import Link
import LinkBlocking
import Posix
import RunnerCore
import Wire

/// What relayd has on disk; it outlives a TestRelay.
struct Journal {
    var durable: UInt64 = 0
    var records: [RunnerEdge.Record] = []
    var output: [RunnerEdge.Output: [UInt8]] = [:]
    /// Both, as they are in the log.
    var merged: [UInt8] = []
    /// The archive of each artifact rule.
    var artifacts: [UInt16: [UInt8]] = [:]
    /// How much of the output there was when each step ended.
    var mergedAtEnds: [Int] = []

    mutating func take(_ item: RunnerEdge.Records.Item) throws {
        guard item.number == durable + 1 else {
            throw HarnessError(description: "record \(item.number) after \(durable)")
        }
        durable = item.number
        if case .log(let chunk) = item.record {
            output[chunk.output, default: []] += chunk.bytes
            merged += chunk.bytes
        } else if case .artifact(let chunk) = item.record {
            artifacts[chunk.rule, default: []] += chunk.bytes
        } else {
            if case .stepEnded = item.record { mergedAtEnds.append(merged.count) }
            records.append(item.record)
        }
    }

    var text: String { String(decoding: output[.stdout] ?? [], as: UTF8.self) }
    var errors: String { String(decoding: output[.stderr] ?? [], as: UTF8.self) }

    var outcomes: [StepOutcome] {
        records.compactMap { if case .stepEnded(let result) = $0 { result.outcome } else { nil } }
    }

    var artifactEnds: [RunnerEdge.ArtifactEnded] {
        records.compactMap { if case .artifactEnded(let ended) = $0 { ended } else { nil } }
    }

    var end: JobResult? {
        for case .jobEnded(let result) in records { return result }
        return nil
    }
}

final class TestRelay {
    let child: RunnerChild
    let loop: PollLoop
    private(set) var connection: Connection<RunnerEdge>?
    var journal: Journal
    /// What went wrong since the last look.
    private(set) var trouble: String?
    /// Stop acknowledging: a relayd that is slow.
    var acknowledges = true

    /// Says the preamble and waits for its echo, skipping whatever the relayd before left unread.
    init(_ child: RunnerChild, journal: Journal = Journal()) throws {
        self.child = child
        self.journal = journal
        loop = try PollLoop()
        let preamble = SyncPreamble.bytes(runner: child.runner.array, nonce: Bytes16.random().array)
        try Posix.writeAll(child.input.raw, preamble)
        try Self.skip(child.output.raw, past: preamble)
        let reading = try child.output.duplicate()
        let writing = try child.input.duplicate()
        try Posix.setNonBlocking(reading.raw)
        connection = Connection(
            loop: loop, transport: PipeTransport(reading: reading, writing: writing), client: .relayd,
            onDown: { [weak self] failure in self?.trouble = "down: \(failure.text)" })
    }

    private static func skip(_ raw: Int32, past preamble: [UInt8]) throws {
        try Posix.setNonBlocking(raw, false)
        var last: [UInt8] = []
        var byte: [UInt8] = [0]
        while last != preamble {
            guard case .bytes = try Posix.read(raw, into: &byte) else {
                throw HarnessError(description: "the runner has ended")
            }
            if last.count == preamble.count { last.removeFirst() }
            last.append(byte[0])
        }
    }

    /// This relayd is gone: no goodbye, what it has not read stays unread, and what it was writing stays half written.
    func die(writing half: [UInt8] = []) throws {
        connection?.close()
        connection = nil
        if !half.isEmpty { try Posix.writeAll(child.input.raw, half) }
    }

    /// Turns the loop until `done`.
    func run(until done: () -> Bool) throws {
        let deadline = Posix.monotonicNow() + 20_000_000_000
        while !done() {
            loop.runPass(waiting: .milliseconds(200))
            if let trouble { throw HarnessError(description: trouble) }
            if Posix.monotonicNow() > deadline {
                let state =
                    "\(journal.durable) records, \(journal.output[.stdout]?.count ?? 0) bytes, \(journal.records)"
                throw HarnessError(description: "nothing came for long; here are \(state)")
            }
        }
    }

    /// Asks and waits for the answer.
    @discardableResult
    func call<Call: WireCall>(_ request: Call) throws -> Call.Reply where Call.Edge == RunnerEdge {
        guard let connection else { throw HarnessError(description: "dead") }
        var result: Result<Call.Reply, Failure>?
        connection.call(request) { answer, _ in result = answer }
        try run { result != nil }
        guard let result else { throw HarnessError(description: "no answer") }
        return try result.get()
    }

    /// The failure that a call ends with.
    func failure<Call: WireCall>(_ request: Call) throws -> ErrorCode? where Call.Edge == RunnerEdge {
        do {
            try call(request)
            return nil
        } catch let failure as Failure {
            return failure.errorCode
        }
    }

    /// Resume, then the records from where the journal ends.
    @discardableResult
    func attach() throws -> RunnerEdge.Resume.Reply {
        let reply = try call(RunnerEdge.Resume(durable: journal.durable))
        if child.wipesKey { try child.wipe() }
        child.wipesKey = false
        connection?.open(
            RunnerEdge.Records(), onItem: { [weak self] in self?.take($0) },
            onEnd: { [weak self] failure in if let failure { self?.trouble = "records: \(failure.text)" } })
        return reply
    }

    private func take(_ item: RunnerEdge.Records.Item) {
        do {
            try journal.take(item)
        } catch {
            trouble = "\(error)"
        }
        guard acknowledges else { return }
        connection?.call(RunnerEdge.Acknowledge(durable: item.number)) { _, _ in }
    }

    func start(_ spec: JobSpec, source: [UInt8]? = nil) throws {
        let announced = source.map { Source(sha256: Digest.of($0), size: UInt64($0.count)) }
        try start(.of(spec, source: announced))
    }

    func start(_ definition: JobDefinition) throws {
        try call(RunnerEdge.RunJob(attempt: .test, definition: definition))
    }

    func put(_ source: [UInt8], from offset: Int = 0, to end: Int? = nil) throws {
        var at = offset
        while at < end ?? source.count {
            let part = Array(source[at..<min(at + 32_768, end ?? source.count)])
            let reply = try call(RunnerEdge.PutSource(offset: UInt64(at), bytes: part))
            at += part.count
            guard reply.received == UInt64(at) else { throw HarnessError(description: "received \(reply.received)") }
        }
    }

    /// Until the job has ended.
    func finish() throws -> JobResult {
        try run { journal.end != nil }
        guard let end = journal.end else { throw HarnessError(description: "no end") }
        return end
    }
}
