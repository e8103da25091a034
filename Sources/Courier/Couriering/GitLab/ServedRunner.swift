// One runner at a project's GitLab, for as long as schedulerd asks for what it has to say. A token and a job are said
// again until schedulerd has them on disk; courierd itself keeps nothing, and begins anew from brokerd's word.

import Daemon
import Exchange
import ForgeCalls
import ForgeModel
import GitLabRunner
import Link
import Outbound
import Posix
import RunnerErrands
import Wire

final class ServedRunner {
    struct Key: Hashable {
        let project: String
        let slot: UInt64
    }

    /// What of it stays as long as it does.
    struct Manner: Equatable {
        let registration: RunnerRegistration
        let instance: String
        let pollSeconds: UInt32
    }

    /// A job that is not known to be on disk at schedulerd.
    private struct Handed {
        let given: CourierEdge.GivenJob
        let handle: JobHandle
    }

    /// How long schedulerd waits for news at most; how long it may be away until no more jobs are asked for, and until
    /// it is to begin anew.
    private static let patience = Duration.seconds(50)
    private static let absence = Duration.seconds(10)
    private static let oblivion = Duration.seconds(300)
    private static let again = Duration.seconds(1)

    private let key: Key
    let repository: Repository
    private let courier: Courier
    private let api: RunnerAPI
    private let tokens: HouseTokens
    let manner: Manner
    /// By which it asks for jobs; nil: it only leaves.
    private var rule: RunnerRule?
    private var errand: RunnerErrand?
    private var responder: Responder<CourierEdge.AskRunner.Reply>?
    private var timer: TimerID?
    private var room = 0
    /// A token that is not known to be on disk.
    private var kept: GitLabRunnerWord?
    private var handed: Handed?
    private var waiting: [Handed] = []
    private var trouble: CourierEdge.RunnerTrouble?
    /// No job is taken any more: one that still comes fails there, so that GitLab knows.
    private var isRetired = false
    private var farewell: ((_ isListed: Bool) -> Void)?
    private var isListed = false

    init(
        _ courier: Courier, _ key: Key, _ manner: Manner, _ known: GitLabRunnerWord?,
        _ home: (url: String, api: RunnerAPI), _ repository: Repository
    ) {
        (self.courier, self.key, self.manner, api, self.repository) = (courier, key, manner, home.api, repository)
        tokens = HouseTokens(courier.broker, key.project, at: home.url)
        tokens.runner = known
        let registration = manner.registration
        var settings = RunnerSettings(
            scope: .project(repository.id), description: "bulkhead: \(key.project)", tags: registration.tags,
            runUntagged: registration.runUntagged)
        settings.protectedOnly = registration.protectedOnly
        var manners = RunnerMachine.Manners()
        manners.poll = UInt64(manner.pollSeconds) * 1000
        let machine = RunnerMachine(
            settings, registration.own ? .runner : .pool, by: api,
            known: known.map { RunnerMachine.KnownRunner($0) }, manners: manners)
        errand = RunnerErrand(
            machine, through: RunnerSender(api, by: courier.outbound, tokens), on: courier.loop,
            notice: { [weak self] in self?.hear($0) }, gone: { [weak self] in self?.hasGone() })
        tokens.denied = { [weak self] in self?.complain($0.errorCode, $0.text) }
    }

    deinit { if let timer { courier.loop.cancel(timer) } }

    // MARK: schedulerd

    func ask(_ request: CourierEdge.AskRunner, _ responder: Responder<CourierEdge.AskRunner.Reply>) {
        // What was denied to another one says nothing of this.
        if rule != request.rule { trouble = nil }
        (rule, tokens.rule) = (request.rule, request.rule)
        isRetired = false
        if let handed, handed.given.word.about.job == request.taken { self.handed = nil }
        if let kept, request.known == kept {
            self.kept = nil
            tokens.runner = kept
            errand?.tokenKept()
        }
        setRoom(Int(request.jobs), hint: false)
        self.responder = responder
        rest(Self.patience) { $0.answer(.quiet(.init())) }
        tell()
    }

    func setRoom(_ jobs: Int, hint: Bool) {
        room = isRetired ? 0 : jobs
        errand?.hasRoom(for: room)
        if hint { errand?.hint() }
    }

    /// Says the oldest thing that is to be said, if somebody asks.
    private func tell() {
        guard responder != nil else { return }
        if let kept { return answer(.registered(kept)) }
        if handed == nil, !waiting.isEmpty { handed = waiting.removeFirst() }
        if let handed { return answer(.job(handed.given)) }
        if let trouble {
            self.trouble = nil
            answer(.trouble(trouble))
        }
    }

    private func answer(_ news: CourierEdge.RunnerNews) {
        responder?.reply(.init(news: news))
        responder = nil
        rest(Self.absence) { served in
            served.errand?.hasRoom(for: 0)
            served.rest(Self.oblivion) { $0.forget() }
        }
    }

    /// Nobody asks: whoever comes later begins with another one.
    private func forget() {
        retire()
        if courier.runners[key] === self { courier.runners[key] = nil }
    }

    private func rest(_ time: Duration, _ body: @escaping (ServedRunner) -> Void) {
        if let timer { courier.loop.cancel(timer) }
        timer = courier.loop.after(time) { [weak self] in
            guard let self else { return }
            timer = nil
            body(self)
        }
    }

    // MARK: the end

    /// Another one is asked about. What nobody was given fails, so that GitLab does not wait for it; what was handed
    /// out is schedulerd's to know.
    func retire() {
        isRetired = true
        room = 0
        errand?.hasRoom(for: 0)
        let left = waiting
        (handed, waiting) = (nil, [])
        for job in left { refuse(job.handle, .cancelledHere, Self.isLeaving) }
    }

    private static let isLeaving = "the runner is leaving this house; run the job again"

    /// `done` is called once, when GitLab knows, or will not be told.
    func leave(_ done: @escaping (_ isListed: Bool) -> Void) {
        retire()
        if let kept { tokens.runner = kept }
        tokens.rule = nil
        farewell = done
        errand?.stop()
    }

    private func hasGone() {
        let farewell = farewell
        self.farewell = nil
        farewell?(isListed)
    }

    // MARK: GitLab

    private func hear(_ notice: RunnerMachine.Notice) {
        switch notice {
        case .keep(let known, let token): keep(known, token)
        case .job(let document): take(document)
        case .problem(let problem):
            if problem == .leftBehind { isListed = true }
            let (code, text) = problem.words(key.project)
            complain(code, text)
        }
    }

    /// For the people of the house.
    private func complain(_ code: ErrorCode, _ text: String) {
        trouble = .init(code: code.rawValue, text: Wording.short(text, 240))
        tell()
    }

    private func keep(_ known: RunnerMachine.KnownRunner, _ token: SecretText, isLast: Bool = false) {
        guard let rule else {
            return courier.log.error(
                "a runner stays listed at GitLab that was made when nobody wanted it any more",
                ["project": key.project, "runner": "\(known.id)"])
        }
        let request = ForgeEdge.KeepRunner(
            project: key.project, rule: rule, id: known.id, obtainedMs: Int64(known.obtained) * 1000,
            expiresMs: Int64(known.expires ?? 0) * 1000)
        send(request, token, "runner") { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let reply):
                kept = reply.word
                tell()
            // GitLab does not say it again, so nobody here gives it up.
            case .failure(let failure) where failure.errorCode.retry == .later:
                retry(failure) { $0.keep(known, token, isLast: isLast) }
            // New rules are brokerd's a moment before they are ours.
            case .failure(let failure) where failure.errorCode == .deniedByPolicy && !isLast:
                retry(failure) { $0.keep(known, token, isLast: true) }
            // It makes no other one meanwhile; by other rules the next question does, once brokerd allows that.
            case .failure(let failure):
                courier.log.error(
                    "a runner stays listed at GitLab that nobody can use",
                    ["project": key.project, "runner": "\(known.id)", "why": failure.text])
                complain(failure.errorCode, "brokerd does not keep its runner: \(failure.text)")
                if failure.errorCode == .deniedByPolicy { forget() }
            }
        }
    }

    private func take(_ document: SecretText) {
        do throws(PayloadProblem) {
            switch try Payload.read(document.bytes) {
            case .refused(let job): refuse(job.handle, job.end, job.sentence)
            case .job(let job): take(job)
            }
        } catch {
            courier.log.error(
                "a job of GitLab's cannot be read, nor can anybody be told", ["project": key.project])
        }
    }

    private func take(_ job: GitLabJob, isLast: Bool = false) {
        guard !isRetired, let rule else { return refuse(job.handle, .cancelledHere, Self.isLeaving) }
        guard job.project == repository.id else {
            let text = "this runner is for project \(repository.id) alone, and the job is of project \(job.project)"
            return refuse(job.handle, .refused, text)
        }
        do throws(JobUnfit) {
            keep(try TranslatedJob(job, rule, of: key.project), rule, job, isLast: isLast)
        } catch {
            refuse(job.handle, .unsupported, error.sentence)
        }
    }

    private func keep(_ translated: TranslatedJob, _ rule: RunnerRule, _ job: GitLabJob, isLast: Bool) {
        let request = ForgeEdge.KeepJob(project: key.project, rule: rule, about: translated.about)
        send(request, translated.values, "job") { [weak self] result in
            guard let self else { return }
            switch result {
            case .success where isRetired: refuse(job.handle, .cancelledHere, Self.isLeaving)
            case .success(let reply):
                let given = CourierEdge.GivenJob(definition: translated.definition, word: reply.word)
                waiting.append(Handed(given: given, handle: job.handle))
                tell()
            case .failure(let failure) where failure.errorCode.retry == .later && !isRetired:
                retry(failure) { $0.keep(translated, rule, job, isLast: isLast) }
            // By the rule of then.
            case .failure(let failure) where failure.errorCode == .deniedByPolicy && !isLast:
                retry(failure) { $0.take(job, isLast: true) }
            case .failure(let failure): refuse(job.handle, .refused, failure.text)
            }
        }
    }

    /// It takes nobody's place.
    private func refuse(_ handle: JobHandle, _ end: JobEnd, _ sentence: String) {
        courier.refuse(handle, end, sentence, at: api)
        errand?.hasRoom(for: room)
    }

    private func retry(_ failure: Failure, _ body: @escaping (ServedRunner) -> Void) {
        courier.log.warning("brokerd does not keep what GitLab gave", ["project": key.project, "why": failure.text])
        // Nobody else holds it.
        courier.loop.after(Self.again) { body(self) }
    }

    private func send<Call: WireCall>(
        _ request: Call, _ value: SecretText, _ name: String,
        _ done: @escaping (Result<Call.Reply, Failure>) -> Void
    ) where Call.Edge == ForgeEdge {
        do throws(PosixError) {
            courier.broker.call(request, fd: try value.file(name), deadline: .seconds(30)) { result, _ in done(result) }
        } catch {
            done(.failure(Failure(.busy, "no file in memory: \(error)")))
        }
    }
}
