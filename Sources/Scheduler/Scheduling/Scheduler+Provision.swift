// From a runner's row to its container: brokerd prepares, spawnerd makes, the runner says hello. What goes wrong on the
// way is the engine's trouble, the pool's, or the job's.

import Daemon
import JobModel
import Link
import Store
import Wire

extension Scheduler {
    /// PENDING to PROVISIONING; then brokerd is asked, and spawnerd.
    func provision(_ unit: UnitOfWork, _ runner: Bytes16) throws {
        try unit.rows.advance(runner: runner, on: .provisioned)
        try askForContainer(unit, runner)
    }

    /// Asks spawnerd for the container of a PROVISIONING runner; again, if it was asked before. The name of its grant
    /// is committed first, so that no grant is ever in two containers.
    func askForContainer(_ unit: UnitOfWork, _ id: Bytes16) throws {
        guard let row = try unit.rows.runner(id), row.state == .provisioning else { return }
        guard let grant = row.grant else { return unit.afterCommit { self.prepare(id) } }
        let request = SpawnerEdge.CreateRunner(
            runner: id, epoch: epoch, shape: try unit.rows.shape(row.shape), trust: row.trust, grant: grant,
            devices: try unit.rows.devices(ofRunner: id))
        unit.afterCommit { self.create(request, row.pool) }
    }

    private func create(_ request: SpawnerEdge.CreateRunner, _ pool: Pool) {
        let id = request.runner
        guard spawner.isReady, creating.insert(id).inserted else { return }
        asked.insert(id)
        if !isArmed(.ready(id)) { waitForHello(id) }
        spawner.createRunner(request) { failure in
            self.creating.remove(id)
            self.created(request, pool, failure)
        }
    }

    private func created(_ request: SpawnerEdge.CreateRunner, _ pool: Pool, _ failure: Failure?) {
        let (id, shape) = (request.runner, request.shape)
        guard let failure else {
            engineBackoff.reset()
            if engineTrouble != nil {
                engineTrouble = nil
                gitlab.tellRoom()
            }
            for device in request.devices { deviceTrouble[device] = nil }
            forgetAbsence(id)
            // Its hello is on its way, unless relayd was restarted just now and has lost the stream.
            return arm(.attach(id), after: settings.attachAgain) { $0.attach(id) }
        }
        // Conflicts are spawnerd's: the engine has no part in them.
        if !failure.isLostLink && failure.errorCode != .conflict { meter.countEngineError(failure) }
        switch failure.errorCode {
        case _ where Self.isUnrunnable(failure):
            noteTrouble(pool, failure)
            batch.event("create refused") { try self.unrunnable($0, id, failure, image: shape.image) }
        case .runnerGone: noteExit(id, nil)
        case .grantGone: grantIsGone(id, failure)
        case .disconnected, .shuttingDown, .deadlineExceeded, .notReady:
            // Nobody knows whether it was made, or it is being made still: the same name is asked for again, now or
            // when spawnerd is back.
            askAgain(id)
        case .conflict where failure.place == "devices":
            // Others go on, and this job takes other devices.
            for device in request.devices { holdBack(device, failure) }
            batch.event("device refused") { unit in
                try self.unavailable(unit, id, failure, reason: Reasons.waitsForDevice(failure))
            }
        case .conflict where failure.place == "grant": grantIsGone(id, failure)
        case .conflict where failure.place == "epoch":
            pauseEngine(failure)
            batch.event("superseded") { unit in
                try self.unavailable(unit, id, failure, reason: Reasons.superseded)
            }
        default:
            noteTrouble(pool, failure)
            pauseEngine(failure)
            batch.event("create failed") { unit in
                // An engine that answers, and refuses this one again and again, would block the queue for all others.
                let refusals = failure.errorCode == .engineRefused ? try self.countRefusal(unit, id) : 0
                refusals >= Self.refusalsAtMost
                    ? try self.unrunnable(unit, id, failure, image: shape.image)
                    : try self.unavailable(unit, id, failure, reason: Reasons.waitsForEngine(failure))
            }
        }
    }

    /// Another try would end the same way.
    static func isUnrunnable(_ failure: Failure) -> Bool {
        switch failure.errorCode {
        case .imageMissing, .imageRefused, .deniedByPolicy, .usernsMissing, .engineMismatch, .invalid, .tooLarge,
            .malformed, .notFound:
            true
        default: false
        }
    }

    private static let refusalsAtMost = 3

    /// How often the engine has now refused a runner for the job that this one is for. Not its attempts: those count
    /// an engine that was away, and faults of the house, too.
    private func countRefusal(_ unit: UnitOfWork, _ id: Bytes16) throws -> Int {
        guard let job = try unit.rows.runner(id)?.job else { return 0 }
        let count = refusals[job, default: 0] + 1
        unit.afterCommit { if count < Self.refusalsAtMost { self.refusals[job] = count } }
        return count
    }

    /// spawnerd has given it to another runner: it is not asked for again for a while.
    private func holdBack(_ device: String, _ failure: Failure) {
        guard let pause = deviceTrouble[device, default: Trouble(settings)].begin(failure) else { return }
        log.warning("a device is another runner's", ["device": device, "why": failure.text])
        arm(.device(device), after: pause) { scheduler in
            scheduler.deviceTrouble[device]?.tryAgain()
            scheduler.batch.dispatchNext()
        }
    }

    private func askAgain(_ id: Bytes16) {
        arm(.create(id), after: settings.retryLongest) { scheduler in
            scheduler.batch.event("create again") { try scheduler.askForContainer($0, id) }
        }
    }

    /// The engine has trouble: nothing is asked of it for a while.
    private func pauseEngine(_ failure: Failure) {
        log.warning("runners cannot be made", ["code": failure.errorCode.name, "why": failure.text])
        engineTrouble = failure
        gitlab.tellRoom()
        if failure.errorCode == .engineUnavailable { engine.fail(failure, at: now) }
        if engineIsPaused { return }
        engineIsPaused = true
        arm(.engine, after: engineBackoff.pause()) { scheduler in
            scheduler.engineIsPaused = false
            scheduler.batch.dispatchNext()
        }
    }

    /// No such runner can be made: its job fails and says what to change.
    private func unrunnable(_ unit: UnitOfWork, _ id: Bytes16, _ failure: Failure, image: String) throws {
        guard let row = try unit.rows.runner(id), row.state == .provisioning else { return }
        let reason = Reasons.unrunnable(failure, image: image)
        log.warning(
            "runner refused",
            [
                "job": Self.name(row.job), "runner": id.hex, "code": failure.errorCode.name, "why": failure.text,
            ])
        if let job = row.job { try end(unit, job: job, on: .unrunnable, reason: reason) }
        try tearDown(unit, id, on: .createFailed, reason: reason)
    }

    /// Not now: the job goes back to its place in the queue; a runner that a person asked for stays wanted.
    func unavailable(_ unit: UnitOfWork, _ id: Bytes16, _ failure: Failure, reason: String) throws {
        guard let row = try unit.rows.runner(id), row.state == .provisioning else { return }
        if row.wanted && row.job == nil {
            return unit.afterCommit { self.askAgain(id) }
        }
        if let job = row.job { try takeBack(unit, job: job, reason: reason) }
        try tearDown(unit, id, on: .createFailed, reason: Reasons.fit(failure.text, limit: 128))
    }

    /// A runner that never says hello must not hold its job for ever.
    func waitForHello(_ id: Bytes16) {
        arm(.ready(id), after: settings.readyLimit) { scheduler in
            // Not its fault while a sibling is away, or the engine.
            let isHeard =
                scheduler.relay.isReady && scheduler.spawner.isReady
                && scheduler.engine.silence(at: scheduler.now) == nil
            guard isHeard else { return scheduler.waitForHello(id) }
            scheduler.batch.event("never ready") { unit in
                guard let row = try unit.rows.runner(id), row.state == .provisioning else { return }
                let reason = Reasons.neverReady(scheduler.settings.readyLimit)
                unit.afterCommit { scheduler.noteTrouble(row.pool, Failure(.deadlineExceeded, reason)) }
                try scheduler.lose(unit, row, on: .runnerLost, reason: reason)
                try scheduler.tearDown(unit, id, on: .failed, reason: reason)
            }
        }
    }
}
