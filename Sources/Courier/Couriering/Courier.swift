// courierd's service: the only process that speaks to the outside. Its parts: Courier+Calls (what is told and asked),
// Courier+Sources (archives), Courier+JobFiles (job files of a repository), Courier+Polling (what is new), and in
// GitLab its runner protocol: Courier+Runners, Courier+Reports, Courier+GitLabJobs. It keeps nothing but the tokens of
// GitHub's apps (Apps): whatever is to be done again is schedulerd's to know, and every other token is brokerd's.

package import Daemon
import Errands
import ForgeCalls
import ForgeModel
package import Link
import Outbound
package import Posix
import RunnerErrands
package import Wire

/// All of it runs on the loop's thread. Names are looked up in threads of libcurl's, which touch nothing here.
package final class Courier {
    let settings: CourierSettings
    let broker: LinkClient<ForgeEdge>
    let log: Log
    let loop: PollLoop
    let outbound: Outbound
    private var visits: [ObjectIdentifier: Visit] = [:]
    private let tokens: InstallationTokens
    /// Runners at GitLab that schedulerd asks about, jobs whose way back is open, and those that were refused at once.
    var runners: [ServedRunner.Key: ServedRunner] = [:]
    var reports: [ReportKey: TraceErrand] = [:]
    var refused: [ObjectIdentifier: TraceErrand] = [:]
    /// Runners whose GitLab is being asked for its number of the project.
    var sought: Set<ServedRunner.Key> = []
    /// Jobs whose sources are being put together, and files that go up.
    var parcels: [ObjectIdentifier: AnyObject] = [:]

    /// - Parameter authorities: certificates in PEM.
    package init(
        loop: PollLoop, settings: CourierSettings, authorities: [UInt8], forgeSocket: String, log: Log
    ) throws {
        self.loop = loop
        self.settings = settings
        self.log = log
        outbound = try Outbound(
            loop: loop, settings: OutboundSettings(addresses: settings.addresses, authorities: authorities))
        tokens = InstallationTokens(loop)
        broker = LinkClient(loop: loop, path: forgeSocket, role: .courierd)
        broker.onRefused = { failure in log.error("brokerd will not have us", ["reason": failure.text]) }
    }

    package func start() { broker.start() }

    /// Whatever is under way ends without an answer; the link says why.
    package func stop() {
        broker.stop()
        visits.removeAll()
        tokens.forgetAll()
        (runners, reports, refused, parcels, sought) = ([:], [:], [:], [:], [])
    }

    package var handlers: Handlers<CourierEdge> {
        var handlers = Handlers<CourierEdge>()
        on(&handlers, fetchSource)
        on(&handlers, postStatus)
        on(&handlers, postComment)
        on(&handlers, askPermission)
        on(&handlers, askChange)
        on(&handlers, askBranch)
        on(&handlers, askFiles)
        on(&handlers, readJobFile)
        on(&handlers, poll)
        on(&handlers, checkForge)
        on(&handlers, askRunner)
        on(&handlers, setRoom)
        on(&handlers, leaveRunner)
        on(&handlers, endJob)
        on(&handlers, prepareJob)
        handlers.on(CourierEdge.ReportJob.self) { [weak self] request, sink in self?.reportJob(request, sink) }
        onFile(&handlers, CourierEdge.ShowLog.self) { [weak self] in self?.showLog($0, $1, $2) }
        onFile(&handlers, CourierEdge.SendArtifact.self) { [weak self] in self?.sendArtifact($0, $1, $2) }
        return handlers
    }

    private func on<Call: WireCall>(
        _ handlers: inout Handlers<CourierEdge>, _ body: @escaping (Call, Responder<Call.Reply>) -> Void
    ) where Call.Edge == CourierEdge {
        handlers.on(Call.self) { request, _, responder in body(request, responder) }
    }

    private func onFile<Call: WireCall>(
        _ handlers: inout Handlers<CourierEdge>, _ call: Call.Type,
        _ body: @escaping (Call, consuming FileDescriptor, Responder<Call.Reply>) -> Void
    ) where Call.Edge == CourierEdge {
        handlers.on(call) { request, fds, responder in
            var fds = fds
            guard let file = fds.takeFirst() else { return responder.fail(Failure(.wrongFds, "no file came")) }
            body(request, file, responder)
        }
    }

    /// Goes to the project's forge, and on with what came of it; a failure is answered here.
    func visit<Reply: WireMessage>(
        _ place: CourierEdge.ForgePlace, _ responder: Responder<Reply>, _ purpose: Visit.Purpose,
        orElse failed: @escaping () -> Void = {}, then finish: @escaping (ForgeResult) -> Void
    ) {
        let archives = visits.values.count(where: \.isOfArchive)
        guard visits.count < settings.errands, purpose.archive == nil || archives < settings.archives else {
            failed()
            return fail(responder, place, Failure(.limitReached, "enough errands are under way", place: "errands"))
        }
        let visit = Visit(.init(loop: loop, outbound: outbound, broker: broker, tokens: tokens), place, purpose)
        let id = ObjectIdentifier(visit)
        visits[id] = visit
        visit.start { [weak self] result in
            self?.visits[id] = nil
            switch result {
            case .success(let result): finish(result)
            case .failure(let failure):
                failed()
                self?.fail(responder, place, failure)
            }
        }
    }

    /// The usual: one question or word, within its time or schedulerd's, whichever is shorter.
    func visit<Reply: WireMessage>(
        _ place: CourierEdge.ForgePlace, _ responder: Responder<Reply>, missing: String = "",
        _ call: @escaping (Repository) throws(Failure) -> ForgeCall, then finish: @escaping (ForgeResult) -> Void
    ) {
        visit(place, responder, missing: missing, at: { (home) throws(Failure) in try call(home.repository) }, finish)
    }

    /// The same, where it matters what kind of forge it is.
    func visit<Reply: WireMessage>(
        _ place: CourierEdge.ForgePlace, _ responder: Responder<Reply>, missing: String = "",
        at call: @escaping (ForgeHome) throws(Failure) -> ForgeCall, _ finish: @escaping (ForgeResult) -> Void
    ) {
        let time = min(settings.errandTime, responder.remaining ?? settings.errandTime)
        visit(place, responder, .init(call: call, time: time, missing: missing), then: finish)
    }

    func fail<Reply: WireMessage>(
        _ responder: Responder<Reply>, _ place: CourierEdge.ForgePlace, _ failure: Failure
    ) {
        log.info(
            "an errand came to nothing",
            ["project": place.project, "code": failure.errorCode.name, "why": failure.text])
        responder.fail(failure)
    }
}
