// A schedulerd that does what the tests say: LinkServer<SchedulerEdge> on a thread of its own, with a few jobs in
// memory.

import Endpoints
import Files
import Foundation
import Link
import Posix
import Synchronization
import Wire

/// Knows the token "good". Job ids 1000 + n answer with error code n.
final class ScriptedScheduler: Sendable {
    /// What has happened, and what is to be answered.
    struct Script: Sendable {
        var states: [UInt64: JobState] = [1: .running, 2: .queued, 3: .succeeded]
        var requests: [String: UInt64] = [:]
        var definitions: [JobDefinition] = []
        var jobOrders: [SealedOrder?] = []
        var orders: [SealedOrder] = []
        /// What SendOrder answers.
        var orderRefusal: Failure?
        var secretLists: [SchedulerEdge.ListSecrets] = []
        var calls: [String] = []
        var listed: [SchedulerEdge.ListJobs] = []
        var openWatches = 0
        var watchesEver = 0
        var connections = 0
        var uploads: [UInt64: UploadState] = [:]
        /// Close the upload's pipe after so many bytes.
        var uploadLimit = Int.max
        var holdStatus = false
        /// What GetStatus answers.
        var status = ScriptedScheduler.status
        var isReadingUploads = true
        var deliveries: [(request: SchedulerEdge.Deliver, body: [UInt8])] = []
        var holdsDeliveries = false
        /// What Deliver answers.
        var deliveryRefusal: Failure?
        var applied: [SchedulerEdge.ApplyProject] = []
    }

    struct UploadState: Sendable {
        var announced: UInt64
        var bytes: [UInt8] = []
        var hasEnded = false
        var isFinished = false
    }

    /// Loop-confined.
    final class Inside: @unchecked Sendable {
        let loop: PollLoop
        var server: LinkServer<SchedulerEdge>?
        var sinks: [UInt64: [ItemSink<SchedulerEdge.WatchJob.Item>]] = [:]
        var finishing: [UInt64: Responder<SchedulerEdge.FinishUpload.Reply>] = [:]
        var held: [Responder<SchedulerEdge.GetStatus.Reply>] = []
        var deliveries: [Responder<SchedulerEdge.Deliver.Reply>] = []
        /// Reading ends of uploads.
        var pipes: [UInt64: SharedPipe] = [:]

        init(_ loop: PollLoop) { self.loop = loop }
    }

    final class SharedPipe {
        let end: FileDescriptor
        init(_ end: consuming FileDescriptor) { self.end = end }
    }

    static let runner = Bytes16(high: 1, low: 2)
    let script: Watched<Script>
    let directory: String
    let inside: Inside
    private let thread: BackgroundThread

    init(directory: String, script: Script = Script()) throws {
        self.directory = directory
        self.script = Watched(script)
        let listener = try Posix.listenUnix(Self.socket(directory), mode: 0o600)
        let inside = Inside(try PollLoop())
        self.inside = inside
        let (watched, raw) = (self.script, listener.release())
        thread = BackgroundThread {
            do {
                inside.server = try LinkServer(
                    loop: inside.loop, listener: FileDescriptor(owning: raw), peerUID: Posix.userID,
                    handlers: Self.handlers(watched, inside, directory), settings: LinkSettings(window: 1_024),
                    onConnect: { _ in watched.change { $0.connections += 1 } },
                    onDisconnect: { _, _ in watched.change { $0.connections -= 1 } })
                inside.loop.run()
                inside.server?.close()
                inside.server = nil
            } catch {
                fatalError("the scripted schedulerd: \(error)")
            }
        }
    }

    static func socket(_ directory: String) -> String { directory + "/scheduler" }
    func logPath(_ job: UInt64) -> String { directory + "/log-\(job)" }

    func appendLog(_ job: UInt64, _ text: String) throws {
        let file = try Posix.open(logPath(job), [.writeOnly, .create, .append])
        try Posix.writeAll(file.raw, Array(text.utf8))
    }

    /// Changes a job's state and tells its watchers.
    func set(_ job: UInt64, _ state: JobState) {
        script.change { $0.states[job] = state }
        inside.loop.poster.post { [inside] in
            for sink in inside.sinks[job] ?? [] {
                sink.send(.init(state: state, reason: ""))
                if state.isEnd { sink.end() }
            }
        }
    }

    /// Answers the GetStatus calls that were held back.
    func releaseStatus() {
        script.change { $0.holdStatus = false }
        inside.loop.poster.post { [inside] in
            for responder in inside.held { responder.reply(Self.status) }
            inside.held = []
        }
    }

    /// Answers the deliveries that were held back.
    func releaseDeliveries() {
        script.change { $0.holdsDeliveries = false }
        inside.loop.poster.post { [inside] in
            for responder in inside.deliveries { responder.reply(.init(delivery: 7, created: true)) }
            inside.deliveries = []
        }
    }

    func stop() async {
        inside.loop.poster.post { [inside] in inside.loop.stop() }
        await thread.end()
    }
}

extension JobState {
    var isEnd: Bool { [.succeeded, .failed, .cancelled, .timedOut, .lost].contains(self) }
}
