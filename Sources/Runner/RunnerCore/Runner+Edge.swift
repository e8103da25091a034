// What relayd may ask of a runner (proto-spec/runner.wire).

import Files
import Link
import Posix
import Wire

extension Runner {
    /// One entry per message. The runner outlives every connection, so the handlers need not keep it.
    func edgeHandlers() -> Handlers<RunnerEdge> {
        var handlers = Handlers<RunnerEdge>()
        handlers.on(RunnerEdge.Resume.self) { [unowned self] request, _, responder in resume(request, responder) }
        handlers.on(RunnerEdge.RunJob.self) { [unowned self] request, _, responder in runJob(request, responder) }
        handlers.on(RunnerEdge.PutSource.self) { [unowned self] request, _, responder in putSource(request, responder) }
        handlers.on(RunnerEdge.Acknowledge.self) { [unowned self] request, _, responder in
            acknowledge(request, responder)
        }
        handlers.on(RunnerEdge.Cancel.self) { [unowned self] request, _, responder in
            responder.reply(RunnerEdge.Cancel.Reply())
            perform(machine.cancel(grace: UInt64(request.graceSeconds) * 1000, now: now))
        }
        handlers.on(RunnerEdge.Quit.self) { [unowned self] _, _, responder in
            responder.reply(RunnerEdge.Quit.Reply())
            quit()
        }
        handlers.on(RunnerEdge.Records.self) { [unowned self] _, sink in
            self.sink = sink
            pump()
        }
        return handlers
    }

    private func resume(_ request: RunnerEdge.Resume, _ responder: Responder<RunnerEdge.Resume.Reply>) {
        do throws(RecordBuffer.Mismatch) {
            try records.resume(after: request.durable)
        } catch {
            return responder.fail(Self.failure(error, "Resume"))
        }
        responder.reply(
            RunnerEdge.Resume.Reply(
                attempt: machine.attempt, sourceReceived: source?.received ?? 0, lastRecord: records.last))
        recordsWereAcknowledged()
        rehearseSoon()
    }

    private func acknowledge(
        _ request: RunnerEdge.Acknowledge, _ responder: Responder<RunnerEdge.Acknowledge.Reply>
    ) {
        do throws(RecordBuffer.Mismatch) {
            try records.acknowledge(request.durable)
        } catch {
            return responder.fail(Self.failure(error, "Acknowledge"))
        }
        responder.reply(RunnerEdge.Acknowledge.Reply())
        recordsWereAcknowledged()
    }

    private static func failure(_ mismatch: RecordBuffer.Mismatch, _ place: String) -> Failure {
        switch mismatch {
        case .beyondLast(let last): Failure(.conflict, "the last record is \(last)", place: place)
        case .forgotten(let first):
            Failure(.conflict, "records before \(first) were acknowledged and are gone", place: place)
        }
    }

    private func runJob(_ request: RunnerEdge.RunJob, _ responder: Responder<RunnerEdge.RunJob.Reply>) {
        guard machine.isIdle else {
            guard machine.attempt == request.attempt else {
                return responder.fail(Failure(.busy, "this runner has another job", place: "RunJob"))
            }
            return responder.reply(RunnerEdge.RunJob.Reply())
        }
        responder.reply(RunnerEdge.RunJob.Reply())
        let definition = request.definition
        source = definition.source.map { SourceReceiver(dropping: $0) }
        perform(machine.run(request.attempt, definition, now: now))
        if let problem = users.problem(with: definition) { return perform(machine.preparationFailed(problem)) }
        do throws(PosixError) {
            let directory = try directories.make(for: definition.spec, users)
            guard let announced = definition.source else { return }
            source = SourceReceiver(announced, into: directory)
            // A source of no bytes is complete at once.
            took(unpack { $0.begin() })
        } catch {
            perform(machine.preparationFailed("the job's directory cannot be prepared: \(error)"))
        }
    }

    /// The source belongs to those whose steps begin in it.
    private func unpack(_ body: (inout SourceReceiver) -> SourceReceiver.Progress) -> SourceReceiver.Progress {
        guard var receiver = source, let spec = machine.spec else { return .more }
        source = nil
        defer { source = receiver }
        guard machine.isReceiving else {
            receiver.drop()
            return body(&receiver)
        }
        return FileUser.perform(as: directories.ownerOfSource(spec, users)) { body(&receiver) }
    }

    private func putSource(_ request: RunnerEdge.PutSource, _ responder: Responder<RunnerEdge.PutSource.Reply>) {
        guard let received = source?.received else {
            return responder.fail(Failure(.conflict, "no source was announced", place: "PutSource"))
        }
        guard request.offset == received else {
            return responder.fail(Failure(.invalid, "the next offset is \(received)", place: "PutSource.offset"))
        }
        guard source?.hasRoom(for: request.bytes.count) == true else {
            return responder.fail(Failure(.tooLarge, "more bytes than were announced", place: "PutSource.bytes"))
        }
        let progress = unpack { $0.take(request.bytes) }
        responder.reply(RunnerEdge.PutSource.Reply(received: source?.received ?? received))
        took(progress)
    }

    private func took(_ progress: SourceReceiver.Progress) {
        switch progress {
        case .more: break
        case .complete(let files): perform(machine.sourceReady(files: files, now: now))
        case .failed(let reason): perform(machine.preparationFailed(reason))
        }
    }
}
