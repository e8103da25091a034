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
        if let known = request.known, known.project != key.project {
            return fail(responder, request.place, Failure(.invalid, "the runner of another project", place: "known"))
        }
        // Another one has taken its place: what still comes to it is nobody's.
        for (other, served) in runners where other.project == key.project && other != key { served.retire() }
        if let served = runners[key], served.isAlike(request) { return served.ask(request, responder) }
        runners.removeValue(forKey: key)?.retire()
        guard sought.insert(key).inserted else {
            return fail(responder, request.place, Failure(.notReady, "its GitLab is being asked", place: "runner"))
        }
        guard let known = request.known else { return seek(request, key, responder) }
        broker.call(ForgeEdge.OpenRunner(word: known, rule: request.rule)) { [weak self] result, _ in
            guard let self else { return }
            switch result {
            case .success: seek(request, key, responder)
            // Of a time before the master key was rotated: nobody can open it any more.
            case .failure(let failure) where failure.errorCode == .ticketRefused:
                log.warning(
                    "a runner's token is lost, and the runner stays listed at GitLab",
                    ["project": key.project, "runner": "\(known.id)", "why": failure.text])
                var request = request
                request.known = nil
                seek(request, key, responder)
            case .failure(let failure):
                sought.remove(key)
                fail(responder, request.place, failure)
            }
        }
    }

    /// Where the project's GitLab is, and which number the project has there.
    private func seek(
        _ request: CourierEdge.AskRunner, _ key: ServedRunner.Key,
        _ responder: Responder<CourierEdge.AskRunner.Reply>
    ) {
        var url = ""
        var purpose = Visit.Purpose(
            call: { (home) throws(Failure) in .repository(home.repository) }, time: settings.errandTime)
        purpose.noting = { url = $0.url }
        purpose.rule = request.rule
        visit(request.place, responder, purpose, orElse: { [weak self] in self?.sought.remove(key) }) { [weak self] in
            guard let self else { return }
            sought.remove(key)
            guard case .repository(let repository) = $0, let api = Self.api(url, of: request.instance) else {
                return unexpected(responder, request.place)
            }
            let served = ServedRunner(self, key, .init(request), request.known, (url, api), repository)
            runners[key] = served
            served.ask(request, responder)
        }
    }

    func setRoom(_ request: CourierEdge.SetRoom, _ responder: Responder<CourierEdge.SetRoom.Reply>) {
        runners[.init(project: request.project, slot: request.slot)]?.setRoom(Int(request.jobs), hint: request.hint)
        responder.reply(.init())
    }

    func leaveRunner(_ request: CourierEdge.LeaveRunner, _ responder: Responder<CourierEdge.LeaveRunner.Reply>) {
        let key = ServedRunner.Key(project: request.place.project, slot: request.slot)
        guard request.known.project == key.project else {
            return fail(responder, request.place, Failure(.invalid, "the runner of another project", place: "known"))
        }
        if let served = runners[key] { return leave(served, key, responder) }
        // brokerd says where it is, whatever the rules say by now.
        broker.call(ForgeEdge.OpenRunner(word: request.known, rule: nil)) { [weak self] result, _ in
            guard let self else { return }
            do throws(Failure) {
                let url = try result.get().url
                guard let api = Self.api(url, of: request.instance) else {
                    throw Failure(.invalid, "the forge's address cannot be used", place: "url")
                }
                let nowhere = Repository(id: request.place.repository.id, path: request.place.repository.path)
                let served = ServedRunner(self, key, .init(request), request.known, (url, api), nowhere)
                runners[key] = served
                leave(served, key, responder)
            } catch {
                fail(responder, request.place, error)
            }
        }
    }

    private func leave(
        _ served: ServedRunner, _ key: ServedRunner.Key, _ responder: Responder<CourierEdge.LeaveRunner.Reply>
    ) {
        served.leave { [weak self, weak served] isListed in
            if let served, self?.runners[key] === served { self?.runners[key] = nil }
            if isListed { return responder.fail(Failure(.forgeRefused, "GitLab could not be told", place: "forge")) }
            responder.reply(.init())
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

extension ServedRunner.Manner {
    fileprivate init(_ request: CourierEdge.AskRunner) {
        self.init(
            registration: request.rule.registration, instance: request.instance, pollSeconds: request.pollSeconds)
    }

    /// Of one that is not asked any more.
    fileprivate init(_ request: CourierEdge.LeaveRunner) {
        self.init(registration: request.known.registration, instance: request.instance, pollSeconds: 0)
    }
}

extension ServedRunner {
    /// Whether it is the runner that is asked about, or another one has taken its place in the rules.
    fileprivate func isAlike(_ request: CourierEdge.AskRunner) -> Bool {
        // What else the rule says may change without another registration.
        manner == Manner(request)
    }
}
