// Runners at GitLab: schedulerd asks for each what it has to say, and that keeps it alive here.

import Crypto
import Daemon
import Exchange
import ForgeCalls
import ForgeModel
import FoundationEssentials
import GitLabCalls
import GitLabRunner
import Link
import Posix
import RunnerErrands
import Wire

extension Courier {
    func askRunner(_ request: CourierEdge.AskRunner, _ responder: Responder<CourierEdge.AskRunner.Reply>) {
        let key = ServedRunner.Key(project: request.place.project, slot: request.slot)
        if let served = runners[key], served.isAlike(request) { return served.ask(request, responder) }
        runners[key] = nil
        serve(request, key, responder) { $0.ask(request, responder) }
    }

    func setRoom(_ request: CourierEdge.SetRoom, _ responder: Responder<CourierEdge.SetRoom.Reply>) {
        runners[.init(project: request.project, slot: request.slot)]?.setRoom(Int(request.jobs), hint: request.hint)
        responder.reply(.init())
    }

    func leaveRunner(_ request: CourierEdge.LeaveRunner, _ responder: Responder<CourierEdge.LeaveRunner.Reply>) {
        let key = ServedRunner.Key(project: request.place.project, slot: request.slot)
        let leave = { [weak self] (served: ServedRunner) in
            served.leave {
                self?.runners[key] = nil
                responder.reply(.init())
            }
        }
        if let served = runners[key] { return leave(served) }
        let ask = CourierEdge.AskRunner(
            place: request.place, slot: request.slot, rule: request.rule, known: request.known, jobs: 0, taken: 0)
        serve(ask, key, responder, then: leave)
    }

    private func serve<Reply: WireMessage>(
        _ request: CourierEdge.AskRunner, _ key: ServedRunner.Key, _ responder: Responder<Reply>,
        then body: @escaping (ServedRunner) -> Void
    ) {
        let begin = { [weak self] (known: GitLabRunnerWord?) in
            guard let self else { return }
            var (request, url) = (request, "")
            request.known = known
            var purpose = Visit.Purpose(
                call: { (repository) throws(Failure) in .repository(repository) }, time: settings.errandTime)
            purpose.noting = { url = $0.url }
            visit(request.place, responder, purpose) { [weak self] result in
                guard let self else { return }
                guard case .repository(let repository) = result, let api = Self.api(url, of: request.rule.instance)
                else { return unexpected(responder, request.place) }
                let served = ServedRunner(self, request, api, repository)
                runners[key] = served
                body(served)
            }
        }
        guard let known = request.known else { return begin(nil) }
        broker.call(ForgeEdge.OpenRunner(word: known)) { [weak self] result, _ in
            switch result {
            case .success: begin(known)
            // Of a time before the master key was rotated: nobody can open it any more.
            case .failure(let failure) where failure.errorCode == .ticketRefused:
                self?.log.warning(
                    "a runner's token is lost, and the runner stays listed at GitLab",
                    ["project": key.project, "runner": "\(known.id)", "why": failure.text])
                begin(nil)
            case .failure(let failure): self?.fail(responder, request.place, failure)
            }
        }
    }

    /// GitLab's interface at this address; nil if it is no such address.
    static func api(_ url: String, of instance: String = "bulkhead") -> RunnerAPI? {
        guard let (origin, folder) = ForgeHome.place(url),
            let system = SystemID(instance: Array(SHA256.hash(data: Array(instance.utf8))))
        else { return nil }
        return RunnerAPI(origin: origin, base: folder + "/api/v4", systemID: system)
    }
}

extension ServedRunner {
    /// Whether it is the runner that is asked about, or another one has taken its place in the rules.
    func isAlike(_ request: CourierEdge.AskRunner) -> Bool {
        var asked = request.rule
        // These may change without another registration.
        (asked.shape, asked.timeoutSeconds, asked.priority) = (rule.shape, rule.timeoutSeconds, rule.priority)
        return asked == rule
    }
}
