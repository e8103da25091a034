// What the conformance tests need of an edge: a full handler table, and one call (the probe) whose answer is known.

import Link
import Posix
import Wire

/// What the server of a rig has seen.
final class Seen {
    var probes = 0
    var connects = 0
    var disconnects: [Failure] = []
    /// Probes are kept unanswered, to be released by `release`.
    var isHolding = false
    var held: [() -> Void] = []

    func release() {
        let all = held
        held = []
        for answer in all { answer() }
    }

    func answer<Reply>(_ responder: Responder<Reply>, _ reply: Reply) {
        probes += 1
        if isHolding { held.append { responder.reply(reply) } } else { responder.reply(reply) }
    }
}

protocol ProbeEdge: WireEdge, SendableMetatype {
    associatedtype Probe: WireCall where Probe.Edge == Self
    /// A call that is permitted in the first phase and has a body.
    static var probe: Probe { get }
    /// Every message of the edge; the probe is answered well, all others with `not_found`.
    static func handlers(_ seen: Seen) -> Handlers<Self>
}

extension ProbeEdge {
    static var probeFDs: [FDKind] { Probe.rule.requestFDs }

    static func probeFrame(id: UInt64) throws -> RawFrame {
        RawFrame(Probe.rule.type, .request, id: id, body: try probe.encoded(), gift: try .of(probeFDs))
    }
}

extension Handlers {
    mutating func refuse<Call: WireCall>(_ call: Call.Type) where Call.Edge == Edge {
        on(call) { _, _, responder in responder.fail(Failure(.notFound, "")) }
    }

    mutating func refuse<Stream: WireStream>(_ stream: Stream.Type) where Stream.Edge == Edge {
        on(stream) { _, sink in sink.fail(Failure(.notFound, "")) }
    }
}

let allProbes: [any ProbeEdge.Type] = [
    SchedulerEdge.self, SpawnerEdge.self, StreamEdge.self, RelayEdge.self, RunnerEdge.self, BrokerEdge.self,
    ForgeEdge.self, CourierEdge.self,
]

private let someID = Bytes16(high: 1, low: 2)

extension SchedulerEdge: ProbeEdge {
    static var probe: ListRunners { ListRunners(token: "t") }

    static func handlers(_ seen: Seen) -> Handlers<SchedulerEdge> {
        var handlers = Handlers<SchedulerEdge>()
        handlers.on(ListRunners.self) { _, _, responder in seen.answer(responder, .init(runners: [])) }
        handlers.refuse(SubmitJob.self)
        handlers.refuse(ListJobs.self)
        handlers.refuse(GetJob.self)
        handlers.refuse(CancelJob.self)
        handlers.refuse(OpenLog.self)
        handlers.refuse(WatchJob.self)
        handlers.refuse(CreateRunner.self)
        handlers.refuse(DeleteRunner.self)
        handlers.refuse(GetStatus.self)
        handlers.refuse(OpenUpload.self)
        handlers.refuse(FinishUpload.self)
        handlers.refuse(SendOrder.self)
        handlers.refuse(ListSecrets.self)
        handlers.refuse(ExplainJob.self)
        handlers.refuse(ListPools.self)
        handlers.refuse(SetDrain.self)
        handlers.refuse(ReadMetrics.self)
        handlers.refuse(Deliver.self)
        handlers.refuse(ListDeliveries.self)
        handlers.refuse(ApplyProject.self)
        handlers.refuse(RemoveProject.self)
        handlers.refuse(ListProjects.self)
        handlers.refuse(GetProject.self)
        handlers.refuse(GetHeld.self)
        handlers.refuse(ApproveJob.self)
        handlers.refuse(WhoAmI.self)
        handlers.refuse(ListUsers.self)
        handlers.refuse(ListTokens.self)
        handlers.refuse(CheckForge.self)
        return handlers
    }
}

extension SpawnerEdge: ProbeEdge {
    static var probe: RemoveRunner { RemoveRunner(runner: someID) }

    static func handlers(_ seen: Seen) -> Handlers<SpawnerEdge> {
        var handlers = Handlers<SpawnerEdge>()
        handlers.on(RemoveRunner.self) { _, _, responder in seen.answer(responder, .init()) }
        handlers.refuse(CreateRunner.self)
        handlers.refuse(AttachRunner.self)
        handlers.refuse(ListRunners.self)
        handlers.refuse(DescribeHost.self)
        handlers.refuse(ReadDevices.self)
        handlers.refuse(WatchExits.self)
        return handlers
    }
}

extension StreamEdge: ProbeEdge {
    static var probe: TakeStream { TakeStream(runner: someID, framing: .raw, pending: [1, 2, 3]) }

    static func handlers(_ seen: Seen) -> Handlers<StreamEdge> {
        var handlers = Handlers<StreamEdge>()
        handlers.on(TakeStream.self) { _, _, responder in seen.answer(responder, .init()) }
        return handlers
    }
}

extension RelayEdge: ProbeEdge {
    static var probe: DropRunner { DropRunner(runner: someID) }

    static func handlers(_ seen: Seen) -> Handlers<RelayEdge> {
        var handlers = Handlers<RelayEdge>()
        handlers.on(DropRunner.self) { _, _, responder in seen.answer(responder, .init()) }
        handlers.refuse(RunJob.self)
        handlers.refuse(CancelJob.self)
        handlers.refuse(SettleJob.self)
        handlers.refuse(OpenLog.self)
        handlers.refuse(OpenUpload.self)
        handlers.refuse(FinishUpload.self)
        handlers.refuse(RemoveSource.self)
        handlers.refuse(RemoveLogs.self)
        handlers.refuse(ReadCounters.self)
        handlers.refuse(StoreArchive.self)
        handlers.refuse(OpenArtifact.self)
        handlers.refuse(RemoveArtifacts.self)
        handlers.refuse(WatchEvents.self)
        return handlers
    }
}

extension RunnerEdge: ProbeEdge {
    static var probe: Resume { Resume(durable: 7) }

    static func handlers(_ seen: Seen) -> Handlers<RunnerEdge> {
        var handlers = Handlers<RunnerEdge>()
        handlers.on(Resume.self) { _, _, responder in
            seen.answer(responder, .init(attempt: nil, sourceReceived: 0, lastRecord: 7))
        }
        handlers.on(Acknowledge.self) { _, _, responder in responder.reply(.init()) }
        handlers.refuse(RunJob.self)
        handlers.refuse(PutSource.self)
        handlers.refuse(Records.self)
        handlers.refuse(Cancel.self)
        handlers.refuse(Quit.self)
        return handlers
    }
}

extension BrokerEdge: ProbeEdge {
    static var probe: Wipe { Wipe(grant: someID) }

    static func handlers(_ seen: Seen) -> Handlers<BrokerEdge> {
        var handlers = Handlers<BrokerEdge>()
        handlers.on(Wipe.self) { _, _, responder in seen.answer(responder, .init()) }
        handlers.refuse(VerifyToken.self)
        handlers.refuse(Vouch.self)
        handlers.refuse(Execute.self)
        handlers.refuse(ListSecrets.self)
        handlers.refuse(Prepare.self)
        handlers.refuse(Grant.self)
        handlers.refuse(Discard.self)
        handlers.refuse(Reconcile.self)
        handlers.refuse(VerifyDelivery.self)
        handlers.refuse(VouchEvent.self)
        handlers.refuse(Approve.self)
        handlers.refuse(ListPolicies.self)
        handlers.refuse(ListUsers.self)
        handlers.refuse(ListTokens.self)
        return handlers
    }
}

extension ForgeEdge: ProbeEdge {
    private static let word = FileWord(
        project: "shop", job: "test", commit: String(repeating: "a", count: 40), branch: "", rule: Bytes32(1, 2, 3, 4),
        definition: Bytes32(1, 2, 3, 4), generation: 1, issuedMs: 1, mac: Bytes32(1, 2, 3, 4))

    static var probe: StateFile {
        StateFile(
            project: "shop", job: "test", commit: word.commit, branch: "", rule: word.rule, definition: word.definition)
    }

    static func handlers(_ seen: Seen) -> Handlers<ForgeEdge> {
        var handlers = Handlers<ForgeEdge>()
        handlers.on(StateFile.self) { _, _, responder in seen.answer(responder, .init(word: word)) }
        handlers.refuse(ReadToken.self)
        handlers.refuse(StatePermission.self)
        handlers.refuse(StateEvent.self)
        handlers.refuse(StateSource.self)
        handlers.refuse(StateBase.self)
        handlers.refuse(KeepRunner.self)
        handlers.refuse(OpenRunner.self)
        handlers.refuse(KeepJob.self)
        handlers.refuse(OpenJob.self)
        handlers.refuse(VouchJob.self)
        handlers.refuse(CheckArtifact.self)
        return handlers
    }
}

extension CourierEdge: ProbeEdge {
    private static let commit = String(repeating: "a", count: 40)
    private static let place = ForgePlace(project: "shop", repository: ForgeRepository(id: 1, path: "acme/shop"))

    static var probe: AskBranch { AskBranch(place: place, branch: "main") }

    static func handlers(_ seen: Seen) -> Handlers<CourierEdge> {
        var handlers = Handlers<CourierEdge>()
        handlers.on(AskBranch.self) { _, _, responder in seen.answer(responder, .init(commit: commit)) }
        handlers.refuse(FetchSource.self)
        handlers.refuse(PostStatus.self)
        handlers.refuse(PostComment.self)
        handlers.refuse(AskPermission.self)
        handlers.refuse(AskChange.self)
        handlers.refuse(AskFiles.self)
        handlers.refuse(ReadJobFile.self)
        handlers.refuse(Poll.self)
        handlers.refuse(CheckForge.self)
        handlers.refuse(AskRunner.self)
        handlers.refuse(SetRoom.self)
        handlers.refuse(LeaveRunner.self)
        handlers.refuse(ReportJob.self)
        handlers.refuse(ShowLog.self)
        handlers.refuse(EndJob.self)
        handlers.refuse(PrepareJob.self)
        handlers.refuse(SendArtifact.self)
        return handlers
    }
}
