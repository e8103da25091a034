// One runner at a project's GitLab, for as long as schedulerd asks for what it has to say. A token and a job are said
// again until schedulerd has them on disk; courierd itself keeps nothing, and begins anew from brokerd's word.

import Daemon
import Exchange
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

    /// How long schedulerd waits for news at most, and how long it may be away until no more jobs are asked for.
    private static let patience = Duration.seconds(50)
    private static let absence = Duration.seconds(10)
    private static let again = Duration.seconds(1)

    let repository: Repository
    private let courier: Courier
    private let api: RunnerAPI
    private let tokens: HouseTokens
    private let project: String
    private(set) var rule: CourierEdge.RunnerRule
    private var errand: RunnerErrand?
    private var responder: Responder<CourierEdge.AskRunner.Reply>?
    private var timer: TimerID?
    /// A token that is not known to be on disk.
    private var kept: GitLabRunnerWord?
    /// A job that is not.
    private var given: CourierEdge.GivenJob?
    private var waiting: [CourierEdge.GivenJob] = []
    private var trouble: CourierEdge.RunnerTrouble?

    init(
        _ courier: Courier, _ request: CourierEdge.AskRunner, _ api: RunnerAPI, _ repository: Repository
    ) {
        (self.courier, self.api, self.repository) = (courier, api, repository)
        (project, rule) = (request.place.project, request.rule)
        tokens = HouseTokens(courier.broker, request.place.project)
        tokens.runner = request.known
        begin(request.known)
    }

    deinit { if let timer { courier.loop.cancel(timer) } }

    private func begin(_ known: GitLabRunnerWord?) {
        let settings = RunnerSettings(
            scope: .project(repository.id), description: rule.description, tags: rule.tags,
            runUntagged: rule.runUntagged)
        var manners = RunnerMachine.Manners()
        manners.poll = UInt64(rule.pollSeconds) * 1000
        let machine = RunnerMachine(
            settings, rule.own ? .runner : .pool, by: api, known: known.map { RunnerMachine.KnownRunner($0) },
            manners: manners)
        errand = RunnerErrand(
            machine, through: RunnerSender(api, by: courier.outbound, tokens), on: courier.loop,
            notice: { [weak self] in self?.hear($0) }, gone: { [weak self] in self?.hasGone() })
    }

    // MARK: schedulerd

    func ask(_ request: CourierEdge.AskRunner, _ responder: Responder<CourierEdge.AskRunner.Reply>) {
        rule = request.rule
        if let given, given.word.about.job == request.taken { self.given = nil }
        if let kept, request.known == kept {
            self.kept = nil
            tokens.runner = kept
            errand?.tokenKept()
        }
        errand?.hasRoom(for: Int(request.jobs))
        self.responder = responder
        rest(Self.patience) { $0.answer(.quiet(.init())) }
        tell()
    }

    func setRoom(_ jobs: Int, hint: Bool) {
        errand?.hasRoom(for: jobs)
        if hint { errand?.hint() }
    }

    /// Says the oldest thing that is to be said, if somebody asks.
    private func tell() {
        guard responder != nil else { return }
        if let kept { return answer(.registered(kept)) }
        if given == nil, !waiting.isEmpty { given = waiting.removeFirst() }
        if let given { return answer(.job(given)) }
        if let trouble {
            self.trouble = nil
            answer(.trouble(trouble))
        }
    }

    private func answer(_ news: CourierEdge.RunnerNews) {
        responder?.reply(.init(news: news))
        responder = nil
        rest(Self.absence) { $0.errand?.hasRoom(for: 0) }
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

    private var farewell: (() -> Void)?

    /// `done` is called once, when GitLab knows, or will not be told.
    func leave(_ done: @escaping () -> Void) {
        farewell = done
        errand?.stop()
    }

    private func hasGone() {
        farewell?()
        farewell = nil
    }

    // MARK: GitLab

    private func hear(_ notice: RunnerMachine.Notice) {
        switch notice {
        case .keep(let known, let token): keep(known, token)
        case .job(let document): take(document)
        case .problem(let problem):
            let (code, text) = problem.words(project)
            trouble = .init(code: code.rawValue, text: text)
            tell()
        }
    }

    private func keep(_ known: RunnerMachine.KnownRunner, _ token: SecretText) {
        let request = ForgeEdge.KeepRunner(
            project: project, id: known.id, obtainedMs: Int64(known.obtained) * 1000,
            expiresMs: Int64(known.expires ?? 0) * 1000)
        send(request, token, "runner") { [weak self] result in
            switch result {
            case .success(let reply):
                self?.kept = reply.word
                self?.tell()
            // GitLab does not say it again, so nobody here gives it up.
            case .failure(let failure): self?.retry(failure) { $0.keep(known, token) }
            }
        }
    }

    private func take(_ document: SecretText) {
        do throws(PayloadProblem) {
            switch try Payload.read(document.bytes) {
            case .refused(let job): courier.refuse(job.handle, job.end, job.sentence, at: api)
            case .job(let job): take(job)
            }
        } catch {
            courier.log.error("a job of GitLab's cannot be read, nor can anybody be told", ["project": project])
        }
    }

    private func take(_ job: GitLabJob) {
        guard job.project == repository.id else {
            let text = "this runner is for project \(repository.id) alone, and the job is of project \(job.project)"
            return courier.refuse(job.handle, .refused, text, at: api)
        }
        do throws(JobUnfit) {
            keep(try TranslatedJob(job, rule, of: project), job)
        } catch {
            courier.refuse(job.handle, .unsupported, error.sentence, at: api)
        }
    }

    private func keep(_ translated: TranslatedJob, _ job: GitLabJob) {
        let request = ForgeEdge.KeepJob(project: project, about: translated.about)
        send(request, translated.values, "job") { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let reply):
                waiting.append(.init(definition: translated.definition, word: reply.word))
                tell()
            case .failure(let failure) where failure.errorCode.retry == .later:
                retry(failure) { $0.keep(translated, job) }
            case .failure(let failure): courier.refuse(job.handle, .refused, failure.text, at: api)
            }
        }
    }

    private func retry(_ failure: Failure, _ body: @escaping (ServedRunner) -> Void) {
        courier.log.warning("brokerd does not keep what GitLab gave", ["project": project, "why": failure.text])
        courier.loop.after(Self.again) { [weak self] in if let self { body(self) } }
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

extension RunnerMachine.KnownRunner {
    init(_ word: GitLabRunnerWord) {
        self.init(
            id: word.id, obtained: UInt64(max(0, word.obtainedMs)) / 1000,
            expires: word.expiresMs > 0 ? UInt64(word.expiresMs) / 1000 : nil)
    }
}

extension RunnerProblem {
    /// For the people of the house.
    fileprivate func words(_ project: String) -> (ErrorCode, String) {
        let set = "`bulkhead secret set \(project) forge-token`"
        return switch self {
        case .mayNotRegister:
            (
                .unauthorized,
                "the token may not create runners: it needs the scope create_runner, and its user the role "
                    + "Maintainer; set another: \(set)"
            )
        case .registrationIsOff: (.forgeRefused, "GitLab does not let runners be created")
        case .tokenIsDead: (.notFound, "GitLab does not know the runner any more; another one is registered")
        case .refused(let status): (.forgeRefused, "GitLab answers \(status) to its runner")
        case .unreadable(let problem): (.forgeRefused, "GitLab's answer to its runner cannot be read: \(problem)")
        case .leftBehind: (.forgeUnavailable, "GitLab could not be told that a runner is gone; it may still be listed")
        }
    }
}
