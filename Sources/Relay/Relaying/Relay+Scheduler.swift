// The relay edge: what schedulerd asks for. Every request may come again after a reconnection.

package import Link
import LogStore
import Masker
import Posix
package import Wire

extension Relay {
    package func schedulerHandlers() -> Handlers<RelayEdge> {
        var handlers = Handlers<RelayEdge>()
        addJobHandlers(&handlers)
        addStoreHandlers(&handlers)
        handlers.on(RelayEdge.WatchEvents.self) { [weak self] _, sink in
            guard let self else { return }
            watchers.add(sink, snapshot: snapshot())
        }
        return handlers
    }

    private func addJobHandlers(_ handlers: inout Handlers<RelayEdge>) {
        handlers.on(RelayEdge.RunJob.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.runJob(request)
                return .init()
            }
        }
        handlers.on(RelayEdge.CancelJob.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.cancel(request)
                return .init()
            }
        }
        handlers.on(RelayEdge.SettleJob.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.settle(request.attempt)
                return .init()
            }
        }
        handlers.on(RelayEdge.DropRunner.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.drop(request.runner)
                return .init()
            }
        }
    }

    private func addStoreHandlers(_ handlers: inout Handlers<RelayEdge>) {
        handlers.on(RelayEdge.OpenLog.self) { [weak self] request, _, responder in
            guard let self else { return }
            do {
                responder.reply(.init(), fd: try store.openLog(request.attempt))
            } catch {
                responder.fail(Failure(storing: error))
            }
        }
        handlers.on(RelayEdge.OpenArtifact.self) { [weak self] request, _, responder in
            guard let self else { return }
            do {
                let end = try store.artifactEnd(request.attempt, rule: request.rule)
                responder.reply(
                    .init(files: end.files, seal: end.seal),
                    fd: try store.openArtifact(request.attempt, rule: request.rule))
            } catch {
                responder.fail(Failure(storing: error))
            }
        }
        handlers.on(RelayEdge.RemoveArtifacts.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.store.removeArtifacts(job: request.job)
                return .init()
            }
        }
        handlers.on(RelayEdge.OpenUpload.self) { [weak self] request, _, responder in
            self?.uploads.open(request.size, responder)
        }
        handlers.on(RelayEdge.FinishUpload.self) { [weak self] request, _, responder in
            self?.uploads.finish(request.upload, responder)
        }
        handlers.on(RelayEdge.StoreArchive.self) { [weak self] request, fds, responder in
            var fds = fds
            guard let archive = fds.takeFirst() else { return responder.fail(Failure(.wrongFds, "no archive came")) }
            self?.uploads.store(archive, request.size, responder)
        }
        handlers.on(RelayEdge.RemoveSource.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.sources.remove(request.sha256)
                return .init()
            }
        }
        handlers.on(RelayEdge.RemoveLogs.self) { [weak self] request, _, responder in
            self?.answer(responder) { relay in
                try relay.store.remove(job: request.job)
                return .init()
            }
        }
        handlers.on(RelayEdge.ReadCounters.self) { [weak self] _, _, responder in
            self?.answer(responder) { relay in
                let masked = relay.masks.replaced
                return .init(
                    logBytes: relay.store.logBytes, maskedBytes: masked.bytes, masks: masked.masks,
                    streams: UInt32(clamping: relay.runners.count))
            }
        }
    }

    private func answer<Reply>(_ responder: Responder<Reply>, _ body: (Relay) throws -> Reply) {
        do {
            responder.reply(try body(self))
        } catch let failure as Failure {
            responder.fail(failure)
        } catch {
            responder.fail(Failure(storing: error))
        }
    }

    // MARK: the work

    /// Opens the log, and gives the job to the runner now or when it is attached and ready.
    private func runJob(_ job: RelayEdge.RunJob) throws {
        if store.unreadable.contains(AttemptKey(job.attempt)) {
            // schedulerd tells us of it again because it does not know; now it does.
            return watchers.send(.jobFinished(RelayEvents.unreadable(job.attempt)))
        }
        if let known = store.attempts[AttemptKey(job.attempt)] {
            guard known.job == job else { throw Failure(.conflict, "this attempt began with another request") }
            return
        }
        guard !job.definition.spec.steps.isEmpty else {
            throw Failure(.invalid, "a job has at least one step", place: "definition.spec.steps")
        }
        guard store.unfinished(on: job.runner) == nil else { throw Failure(.busy, "this runner has a job") }
        if let source = job.definition.source {
            do throws(StoreError) {
                _ = try sources.open(source)
            } catch .notFound {
                throw Failure(.notFound, "no such source archive", place: "definition.source")
            }
        }
        let log = try store.begin(job)
        // Asked for at once, also when the runner is not attached yet.
        let masking = masks.masking(of: log)
        runners[job.runner]?.assign(log, masking)
    }

    private func cancel(_ request: RelayEdge.CancelJob) throws {
        guard let log = store.attempts[AttemptKey(request.attempt)], log.job.attempt == request.attempt else {
            throw Failure(.notFound, "no such attempt")
        }
        guard log.ended == nil else { return }
        // Kept: a runner that is not ready yet is told when it has the job.
        log.cancelGraceSeconds = request.graceSeconds
        runners[log.job.runner]?.cancel()
    }

    /// A job that is given up while its runner works takes the runner with it: nobody would take its records.
    private func settle(_ attempt: Attempt) throws {
        guard let log = store.attempts[AttemptKey(attempt)], log.job.attempt == attempt else { return }
        let runner = log.job.runner
        if log.ended == nil, let conversation = runners[runner] {
            conversation.finishLog()
            conversation.lose(Failure(.runnerGone, "its job was given up"))
        }
        masks.end(log)
        try store.settle(attempt, keepsNumber: log.ended != nil && !dropped.contains(runner))
        dropped.remove(runner)
    }

    private func drop(_ runner: Bytes16) throws {
        if store.attempts.values.contains(where: { $0.job.runner == runner }) { dropped.insert(runner) }
        if let conversation = runners.removeValue(forKey: runner) {
            // What has come until now is the end of its log.
            conversation.finishLog()
            conversation.quit()
        }
        try store.forget(runner)
    }

    private func snapshot() -> [RelayEdge.RelayEvent] {
        let ready = runners.values.filter(\.isReady).map { RelayEdge.RelayEvent.runnerReady(.init(runner: $0.runner)) }
        return ready + store.attempts.values.flatMap(RelayEvents.all)
    }
}
