// A job's way back to GitLab: that it is there, its log, its end. schedulerd says what happens, and hears what GitLab
// wants; if either of us dies, the report begins anew, and asks GitLab how far it came.

import Daemon
import Exchange
import GitLabRunner
import Link
import Posix
import RunnerErrands
import Wire

struct ReportKey: Hashable {
    let project: String
    let job: UInt64
}

extension Courier {
    func reportJob(_ request: CourierEdge.ReportJob, _ sink: ItemSink<CourierEdge.ReportJob.Item>) {
        let (word, key) = (request.word, ReportKey(project: request.word.project, job: request.word.about.job))
        home(of: word) { [weak self] result in
            guard let self, sink.isOpen else { return }
            do throws(Failure) {
                let api = try result.get()
                let report = report(word.about, api, sender(for: word, at: api), isResumed: request.resumed) { said in
                    sink.send(.init(word: said))
                    if said.isLast { sink.end() }
                }
                reports[key] = report
                sink.onClose = { [weak self, weak report] in
                    if let report, self?.reports[key] === report { self?.reports[key] = nil }
                }
                report.start()
            } catch {
                sink.fail(error)
            }
        }
    }

    private func report(
        _ job: KeptJob, _ api: RunnerAPI, _ sender: RunnerSender, isResumed: Bool,
        _ say: @escaping (CourierEdge.ReportWord) -> Void
    ) -> TraceErrand {
        let handle = JobHandle(
            id: job.job, token: SecretText([]), reasons: job.reasons.isEmpty ? nil : job.reasons)
        return TraceErrand(
            handle, by: api, log: nil, isResumed: isResumed, through: sender, on: loop,
            notice: { say($0 == .cancel ? .cancel : .abort) },
            over: { say(CourierEdge.ReportWord($0)) })
    }

    func showLog(
        _ request: CourierEdge.ShowLog, _ log: consuming FileDescriptor,
        _ responder: Responder<CourierEdge.ShowLog.Reply>
    ) {
        guard let report = reports[.init(project: request.project, job: request.job)] else {
            return responder.fail(Failure(.notFound, "this job is not reported", place: "job"))
        }
        report.show(log)
        responder.reply(.init())
    }

    func endJob(_ request: CourierEdge.EndJob, _ responder: Responder<CourierEdge.EndJob.Reply>) {
        guard let report = reports[.init(project: request.project, job: request.job)] else {
            return responder.fail(Failure(.notFound, "this job is not reported", place: "job"))
        }
        responder.reply(.init())
        report.finish(JobEnd(request.end, exitCode: request.exitCode), request.text)
    }

    // MARK: jobs that never were ours

    /// Tells GitLab, and whoever reads the job's log there, that it cannot run here.
    func refuse(_ handle: JobHandle, _ end: JobEnd, _ sentence: String, at api: RunnerAPI) {
        log.info("a job of GitLab's is refused", ["job": "\(handle.id)", "why": sentence])
        let sender = RunnerSender(api, by: outbound, PassingToken(handle.token))
        var id: ObjectIdentifier?
        let trace = TraceErrand(
            handle, by: api, log: nil, isResumed: false, through: sender, on: loop,
            notice: { _ in }, over: { [weak self] _ in if let id { self?.refused[id] = nil } })
        id = ObjectIdentifier(trace)
        refused[ObjectIdentifier(trace)] = trace
        trace.finish(end, "This job cannot run here: \(sentence)")
    }
}

extension CourierEdge.ReportWord {
    init(_ over: TraceMachine.Over) {
        self =
            switch over {
            case .accepted: .accepted
            case .gone: .gone
            case .refused: .refused
            case .exhausted: .exhausted
            }
    }

    var isLast: Bool { self != .cancel && self != .abort }
}
