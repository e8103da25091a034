// courierd from a script: a forge in dictionaries, answers on the next turn of the loop. It outlives the schedulers of
// a test.

import Endpoints
import Files
import Link
import Posix
import Scheduling
import Wire

final class FakeCourier: CourierLink {
    var loop: PollLoop
    var isReady = false
    var lastFailure: Failure?
    var onUp: (() -> Void)?
    var onDown: ((Failure) -> Void)?

    /// What was asked: "source", "status", ..., in order.
    private(set) var calls: [String] = []
    private(set) var sources: [CourierEdge.FetchSource] = []
    /// What the forge was told, and took.
    private(set) var statuses: [CourierEdge.PostStatus] = []
    private(set) var comments: [CourierEdge.PostComment] = []
    private(set) var filesAsked: [CourierEdge.AskFiles] = []
    private(set) var jobFiles: [CourierEdge.ReadJobFile] = []
    private(set) var checks: [CourierEdge.CheckForge] = []
    /// What calls of a name fail with; of a project alone, if one is named.
    var refusals: [String: Failure] = [:]
    var refusedProject: String?
    /// Calls of these names are answered by `release` only.
    var slow: Set<String> = []
    private var held: [() -> Void] = []
    var permission = ForgePermission.write
    var fetched = Samples.source
    var change: ChangeEvent? = ForgeCase.changeEvent()
    var files = CourierEdge.AskFiles.Reply(files: [], complete: true)
    var definition: JobDefinition?
    var comesUp = true
    private var generation = 0

    init(loop: PollLoop) {
        self.loop = loop
    }

    func count(_ call: String) -> Int { calls.count { $0 == call } }

    func start() {
        if comesUp { loop.soon { self.up() } }
    }

    func stop() { down() }

    func up() {
        isReady = true
        onUp?()
    }

    func down() {
        isReady = false
        generation += 1
        onDown?(Failure(.disconnected, "courierd went away"))
        // What was under way is answered by nobody.
        let answers = held
        held = []
        for answer in answers { answer() }
    }

    /// schedulerd was killed: what is under way is answered to nobody.
    func forget() {
        isReady = false
        generation += 1
        held = []
        slow = []
    }

    func release() {
        let answers = held
        held = []
        for answer in answers { answer() }
    }

    private func answer<Value>(
        _ call: String, _ project: String, _ done: @escaping (Result<Value, Failure>) -> Void,
        _ body: @escaping () -> Result<Value, Failure>
    ) {
        calls.append(call)
        let asked = generation
        let wasReady = isReady
        let isRefused = refusedProject == nil || refusedProject == project
        let result = refusals[call].flatMap { isRefused ? Result<Value, Failure>.failure($0) : nil }
        let tell = {
            guard wasReady, self.isReady, asked == self.generation else {
                return done(.failure(Failure(.disconnected, "")))
            }
            done(result ?? body())
        }
        if slow.contains(call) && wasReady { held.append(tell) } else { loop.soon(tell) }
    }

    // MARK: the edge

    func fetchSource(
        _ request: CourierEdge.FetchSource,
        _ done: @escaping (Result<SourceWord, Failure>, consuming FDBundle) -> Void
    ) {
        sources.append(request)
        answer(
            "source", request.place.project,
            { (result: Result<SourceWord, Failure>) in
                guard case .success = result, let file = try? Posix.open(#filePath, [.readOnly]) else {
                    return done(result, FDBundle())
                }
                done(result, FDBundle(file))
            },
            {
                .success(
                    SourceWord(
                        project: request.place.project, commit: request.commit, source: self.fetched, generation: 1,
                        issuedMs: 1, mac: Bytes32(8, 8, 8, 8)))
            })
    }

    func postStatus(_ request: CourierEdge.PostStatus, _ done: @escaping (Failure?) -> Void) {
        answer("status", request.place.project, { (result: Result<Void, Failure>) in done(result.fault) }) {
            self.statuses.append(request)
            return .success(())
        }
    }

    func postComment(_ request: CourierEdge.PostComment, _ done: @escaping (Failure?) -> Void) {
        answer("comment", request.place.project, { (result: Result<Void, Failure>) in done(result.fault) }) {
            self.comments.append(request)
            return .success(())
        }
    }

    func askPermission(
        _ request: CourierEdge.AskPermission, _ done: @escaping (Result<PermissionWord, Failure>) -> Void
    ) {
        answer("permission", request.place.project, done) {
            .success(
                PermissionWord(
                    project: request.place.project, account: request.account, permission: self.permission,
                    generation: 1, issuedMs: 1, mac: Bytes32(8, 8, 8, 8)))
        }
    }

    func askChange(
        _ request: CourierEdge.AskChange, _ done: @escaping (Result<CourierEdge.AskChange.Reply, Failure>) -> Void
    ) {
        answer("change", request.place.project, done) {
            guard let change = self.change else { return .failure(Failure(.notFound, "no such change")) }
            let word = BaseWord(
                project: request.place.project, number: change.number, head: change.head.commit,
                branch: change.base.branch, commit: change.base.commit, generation: 1, issuedMs: 1,
                mac: Bytes32(8, 8, 8, 8))
            return .success(.init(change: change, base: change.base.commit.isEmpty ? nil : word))
        }
    }

    func askFiles(
        _ request: CourierEdge.AskFiles, _ done: @escaping (Result<CourierEdge.AskFiles.Reply, Failure>) -> Void
    ) {
        filesAsked.append(request)
        answer("files", request.place.project, done) { .success(self.files) }
    }

    /// What is new at its next questions, one after the other.
    var news: [CourierEdge.Poll.Reply] = []
    private(set) var cursors: [[UInt8]] = []

    func poll(_ request: CourierEdge.Poll, _ done: @escaping (Result<CourierEdge.Poll.Reply, Failure>) -> Void) {
        cursors.append(request.cursor)
        answer("poll", request.place.project, done) {
            .success(
                self.news.isEmpty
                    ? .init(cursor: request.cursor, events: [], more: false) : self.news.removeFirst())
        }
    }

    func checkForge(_ request: CourierEdge.CheckForge, _ done: @escaping (Result<[String], Failure>) -> Void) {
        checks.append(request)
        answer("check", request.place.project, done) { .success(["the token may not write commit statuses"]) }
    }

    func readJobFile(
        _ request: CourierEdge.ReadJobFile, _ done: @escaping (Result<CourierEdge.ReadJobFile.Reply, Failure>) -> Void
    ) {
        jobFiles.append(request)
        answer("job file", request.place.project, done) {
            guard let definition = self.definition else { return .failure(Failure(.notFound, "no such file")) }
            let word = FileWord(
                project: request.place.project, job: request.job, commit: request.commit, branch: request.branch,
                rule: .random(), definition: .random(),
                generation: 1, issuedMs: 1, mac: Bytes32(8, 8, 8, 8))
            return .success(.init(definition: definition, word: word))
        }
    }

    // MARK: GitLab's runner protocol

    /// What GitLab has for its runner, in order; what schedulerd has not confirmed comes again.
    var runnerNews: [CourierEdge.RunnerNews] = []
    private(set) var runnerAsks: [CourierEdge.AskRunner] = []
    private var runnerWaits: [() -> Void] = []
    private(set) var rooms: [CourierEdge.SetRoom] = []
    private(set) var left: [CourierEdge.LeaveRunner] = []
    private(set) var ends: [CourierEdge.EndJob] = []
    private(set) var logsShown: [UInt64] = []
    private(set) var artifacts: [CourierEdge.SendArtifact] = []
    /// Open reports, by GitLab's number of the job.
    private(set) var reports: [UInt64: (CourierEdge.ReportWord) -> Void] = [:]
    private(set) var resumed: [Bool] = []
    private var reportEnds: [UInt64: (Failure?) -> Void] = [:]

    /// Something new for a question that waits.
    func bring(_ news: CourierEdge.RunnerNews) {
        runnerNews.append(news)
        let waits = runnerWaits
        runnerWaits = []
        for wait in waits { loop.soon(wait) }
    }

    func say(_ word: CourierEdge.ReportWord, of job: UInt64) { reports[job]?(word) }

    func endReport(of job: UInt64, _ failure: Failure?) {
        reports[job] = nil
        reportEnds.removeValue(forKey: job)?(failure)
    }

    func askRunner(
        _ request: CourierEdge.AskRunner, _ done: @escaping (Result<CourierEdge.RunnerNews, Failure>) -> Void
    ) {
        runnerAsks.append(request)
        switch runnerNews.first {
        case .job(let given) where given.word.about.job == request.taken: runnerNews.removeFirst()
        case .registered(let word) where request.known == word: runnerNews.removeFirst()
        default: break
        }
        calls.append("runner")
        let asked = generation
        let tell = {
            guard asked == self.generation, let news = self.runnerNews.first else { return }
            switch news {
            case .job, .registered: break
            case .quiet, .trouble: self.runnerNews.removeFirst()
            }
            done(.success(news))
        }
        if let failure = refusals["runner"] { return loop.soon { done(.failure(failure)) } }
        if runnerNews.isEmpty { runnerWaits = [tell] } else { loop.soon(tell) }
    }

    func setRoom(_ request: CourierEdge.SetRoom) { rooms.append(request) }

    func leaveRunner(_ request: CourierEdge.LeaveRunner, _ done: @escaping (Failure?) -> Void) {
        answer("leave", request.place.project, { (result: Result<Void, Failure>) in done(result.fault) }) {
            self.left.append(request)
            return .success(())
        }
    }

    func reportJob(
        _ request: CourierEdge.ReportJob, onItem: @escaping (CourierEdge.ReportWord) -> Void,
        onEnd: @escaping (Failure?) -> Void
    ) {
        calls.append("report")
        resumed.append(request.resumed)
        reports[request.word.about.job] = onItem
        reportEnds[request.word.about.job] = onEnd
    }

    func showLog(
        _ request: CourierEdge.ShowLog, _ log: consuming FileDescriptor, _ done: @escaping (Failure?) -> Void
    ) {
        answer("log", request.project, { (result: Result<Void, Failure>) in done(result.fault) }) {
            self.logsShown.append(request.job)
            return .success(())
        }
    }

    func endJob(_ request: CourierEdge.EndJob, _ done: @escaping (Failure?) -> Void) {
        answer("end", request.project, { (result: Result<Void, Failure>) in done(result.fault) }) {
            self.ends.append(request)
            return .success(())
        }
    }

    func prepareJob(
        _ request: CourierEdge.PrepareJob,
        _ done: @escaping (Result<CourierEdge.PrepareJob.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        answer(
            "prepare", request.place.project,
            { (result: Result<CourierEdge.PrepareJob.Reply, Failure>) in
                guard case .success = result, let file = try? Posix.open(#filePath, [.readOnly]) else {
                    return done(result, FDBundle())
                }
                done(result, FDBundle(file))
            },
            {
                var definition = request.definition
                definition.source = self.fetched
                guard let bytes = try? definition.encoded() else { return .failure(Failure(.invalid, "")) }
                return .success(
                    .init(source: self.fetched, ticket: Samples.ownTicket(request.word, definition, bytes)))
            })
    }

    func sendArtifact(
        _ request: CourierEdge.SendArtifact, _ archive: consuming FileDescriptor,
        _ done: @escaping (Failure?) -> Void
    ) {
        answer("artifact", request.word.project, { (result: Result<Void, Failure>) in done(result.fault) }) {
            self.artifacts.append(request)
            return .success(())
        }
    }
}

extension Result where Success == Void, Failure == Wire.Failure {
    fileprivate var fault: Wire.Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
