// Start and reconnections: what the rows say is compared with what the siblings have, and said again. Every request is
// idempotent by its id, so nothing is asked whether it was said before.

import Daemon
import Link
import Posix
import Store
import Wire

extension Scheduler {
    // MARK: start

    /// The clocks of jobs that an earlier life has left. The siblings are told when their links come up. Jobs with tags
    /// are looked at if the host's tags are others than before: a start must not take as long as the queue is.
    func takeUpJobs() {
        batch.event("take up jobs") { unit in
            var jobs = try unit.rows.jobsBehindNoFence()
            if try unit.rows.keepTags(self.settings.tags) { jobs += try unit.rows.queuedJobsWithTags() }
            for job in jobs { try self.regate(unit, job: job) }
            for (project, group) in try unit.rows.waitingGroups() {
                try self.openGroup(unit, group, project: project)
            }
            try self.follow(unit, [.grouped(after: 0), .blocked(after: 0)])
            self.watchExpiry(unit)
            for job in try unit.rows.assignedJobs() {
                guard let attempt = try unit.rows.openAttempt(ofJob: job.id), attempt.told else { continue }
                unit.afterCommit {
                    self.watchOverdue(job.id, timeout: job.timeoutSeconds)
                    if let grace = job.cancelGrace { self.watchCancel(job.id, graceSeconds: grace) }
                }
            }
        }
        batch.dispatchNext()
    }

    /// News was dropped because it could not be written. The links stay down until something can be; then the siblings
    /// tell everything again, and the clocks are set from the rows, as at a start.
    func askAnew() {
        broker.stop()
        spawner.stop()
        relay.stop()
        courier.stop()
        batch.event("ask anew") { unit in
            try unit.rows.touch(at: unit.now)
            unit.afterCommit {
                self.takeUpJobs()
                self.broker.start()
                self.spawner.start()
                self.relay.start()
                self.courier.start()
                self.takeUpPostings()
            }
        }
    }

    // MARK: spawnerd

    func spawnerIsUp() {
        log.info("spawnerd is there")
        asked = []
        creating = []
        attaching = []
        removing = []
        tryEngineAgain()
        watchExits()
        describeHost()
        compareContainers()
        // What relayd has lost while nobody was there to make it anew.
        if relay.isReady { attachAll() }
        batch.dispatchNext()
    }

    func spawnerIsDown(_ failure: Failure) {
        log.warning("spawnerd is away", ["why": failure.text])
        engine = .unknown
    }

    private func tryEngineAgain() {
        engineIsPaused = false
        engineBackoff.reset()
        disarm(.engine)
    }

    private func watchExits() {
        spawner.watchExits(
            onItem: { [weak self] exit in self?.noteExit(exit.runner, exit) },
            onEnd: { [weak self] failure in
                guard let self, spawner.isReady else { return }
                log.warning("exits are no longer told", ["why": failure?.text ?? "ended"])
                arm(.watchExits, after: settings.retryShortest) { scheduler in
                    guard scheduler.spawner.isReady else { return }
                    scheduler.watchExits()
                    scheduler.compareContainers()
                }
            })
    }

    /// Again and again, while there is a link.
    private func describeHost() {
        spawner.describeHost { result in
            switch result {
            case .success(let host): self.engineAnswers(host)
            case .failure(let failure) where failure.isLostLink: return
            case .failure(let failure): self.engineIsSilent(failure)
            }
            self.arm(.describe, after: self.settings.describeAgain) { scheduler in
                scheduler.askSilentRelay()
                if scheduler.spawner.isReady { scheduler.describeHost() }
            }
        }
    }

    /// Nobody else may ask relayd anything, and then nobody would hear that it answers again.
    private func askSilentRelay() {
        guard relay.isReady, relay.silentSince != nil else { return }
        relay.readCounters(deadline: settings.describeAgain) { _ in }
    }

    private func engineAnswers(_ host: SpawnerEdge.DescribeHost.Reply) {
        self.host = host
        if case .answers = engine { return }
        let name = "\(host.engine) \(host.engineVersion)"
        log.info("engine", ["name": name, "userns": "\(host.userNamespaces)", "cpus": "\(host.cpus)"])
        engine = .answers
        engineTrouble = nil
        gitlab.tellRoom()
        tryEngineAgain()
        batch.dispatchNext()
    }

    private func engineIsSilent(_ failure: Failure) {
        if case .silent = engine {} else { log.warning("the engine does not answer", ["why": failure.text]) }
        engine.fail(failure, at: now)
    }

    /// The containers of this instance against the rows, again and again while there is a link. Only rows from before
    /// the question are expected in the answer.
    private func compareContainers() {
        batch.event("list containers") { unit in
            let expected = Set(try unit.rows.runners().filter { $0.state == .idle || $0.state == .busy }.map(\.id))
            unit.afterCommit {
                self.spawner.listRunners { result in
                    switch result {
                    case .success(let found):
                        self.compare(found, expected: expected)
                        self.compareContainers(after: self.settings.compareAgain)
                    case .failure(let failure):
                        self.log.warning("containers not listed", ["why": failure.text])
                        self.compareContainers(after: self.settings.retryLongest)
                    }
                }
            }
        }
    }

    private func compareContainers(after pause: Duration) {
        arm(.list, after: pause) { scheduler in
            if scheduler.spawner.isReady { scheduler.compareContainers() }
        }
    }

    private func compare(_ found: [SpawnerEdge.RunnerContainer], expected: Set<Bytes16>) {
        let states = Dictionary(found.map { ($0.runner, $0.state) }, uniquingKeysWith: { first, _ in first })
        batch.event("compare containers") { unit in
            let rows = try unit.rows.runners()
            let known = Set(rows.map(\.id))
            for id in states.keys where !known.contains(id) { unit.afterCommit { self.remove(id) } }
            for row in rows { try self.compare(unit, row, states[row.id], isExpected: expected.contains(row.id)) }
        }
    }

    private func compare(
        _ unit: UnitOfWork, _ row: RunnerRow, _ container: SpawnerEdge.ContainerState?, isExpected: Bool
    ) throws {
        switch row.state {
        case .pending: unit.dispatchNext()
        case .provisioning: if !asked.contains(row.id) { try askForContainer(unit, row.id) }
        case .teardown: unit.afterCommit { self.remove(row.id) }
        case .idle, .busy:
            if container == .exited || (container == nil && isExpected) {
                unit.afterCommit { self.noteExit(row.id, nil) }
            }
        }
    }

    // MARK: relayd

    func relayIsUp() {
        log.info("relayd is there")
        attached = []
        detached = []
        watchEvents()
        settleAll()
        cancelAgain()
        attachAll()
        // A relayd that has started anew has no masks. Whether brokerd has some it says when it is asked for the
        // grants.
        if brokerIsUsable { sayTakenGrantsAgain() }
        gitlab.relayIsUp()
    }

    func relayIsDown(_ failure: Failure) {
        log.warning("relayd is away", ["why": failure.text])
        relayLink += 1
        attached = []
        uploads.removeAll()
    }

    private func watchEvents() {
        relay.watchEvents(
            onItem: { [weak self] event in self?.heard(event) },
            onEnd: { [weak self] failure in
                guard let self, relay.isReady else { return }
                log.warning("events are no longer told", ["why": failure?.text ?? "ended"])
                arm(.watchEvents, after: settings.retryShortest) { scheduler in
                    if scheduler.relay.isReady { scheduler.watchEvents() }
                }
            })
    }

    /// Runners of before, unless relayd names them itself within a moment: their streams died with it. Those that are
    /// made from now on are handed to it as they come.
    private func attachAll() {
        batch.event("attach all") { unit in
            let runners = try unit.rows.runners()
            let made = runners.filter { $0.state == .idle || $0.state == .busy }.map(\.id)
            let beingMade = runners.filter { $0.state == .provisioning }.map(\.id)
            unit.afterCommit {
                // One that spawnerd has not been asked for has no container yet, and may have none for long.
                let old = made + beingMade.filter { self.asked.contains($0) && !self.creating.contains($0) }
                self.arm(.attachAll, after: self.settings.attachPause) { scheduler in
                    for runner in old { scheduler.attach(runner) }
                }
            }
        }
    }

    private func cancelAgain() {
        batch.event("cancel again") { unit in
            for job in try unit.rows.assignedJobs() {
                guard let grace = job.cancelGrace else { continue }
                if let attempt = try unit.rows.openAttempt(ofJob: job.id), attempt.told {
                    unit.afterCommit { self.askToCancel(attempt.attempt, graceSeconds: grace) }
                }
            }
        }
    }
}
