// brokerd comes and goes. While it is away nobody's token can be checked and no runner can be made; what runs, runs on.
// When it is back it hears which grants live, and then everything that it may have forgotten.

import Daemon
import Link
import Store
import Wire

extension Scheduler {
    func brokerIsUp() {
        log.info("brokerd is there")
        grantsAreReconciled = false
        preparing = []
        wiping = []
        granting = []
        preparation.end()
        release.end()
        beginDeliveriesAnew()
        disarm(.prepare)
        disarm(.release)
        reconcileGrants()
    }

    func brokerIsDown(_ failure: Failure) {
        log.warning("brokerd is away", ["why": failure.text])
        grantsAreReconciled = false
    }

    /// Before anything is prepared on this connection: what is prepared later is in no list that was made earlier.
    private func reconcileGrants() {
        batch.event("reconcile grants") { unit in
            let live = try unit.rows.liveGrants()
            // A brokerd that has started anew has wiped the keys that nobody had read.
            try self.noteKeyless(unit)
            unit.afterCommit {
                if self.broker.isReady { self.broker.reconcile(live: live) { self.reconciled($0) } }
            }
        }
    }

    /// Runners that are on their way and have not said hello perhaps find no key any more.
    func noteKeyless(_ unit: UnitOfWork) throws {
        let unread = try unit.rows.runners().filter { $0.state == .provisioning && $0.grant != nil }.map(\.id)
        unit.afterCommit { self.keyless.formUnion(unread.filter { !self.attached.contains($0) }) }
    }

    private func reconciled(_ failure: Failure?) {
        guard let failure else {
            grantsAreReconciled = true
            return sayGrantsAgain()
        }
        if failure.isLostLink { return }
        log.warning("grants not reconciled", ["code": failure.errorCode.name, "why": failure.text])
        arm(.reconcile, after: settings.retryLongest) { scheduler in
            if scheduler.broker.isReady && !scheduler.grantsAreReconciled { scheduler.reconcileGrants() }
        }
    }

    private func sayGrantsAgain() {
        batch.event("grants again") { unit in
            for row in try unit.rows.runners() {
                switch row.state {
                case .provisioning: try self.askAgain(unit, row)
                case .busy: try self.grantAgain(unit, row)
                case .pending, .idle, .teardown: break
                }
            }
            unit.dispatchNext()
        }
    }

    func sayTakenGrantsAgain() {
        batch.event("taken grants again") { unit in
            for row in try unit.rows.runners() where row.state == .busy {
                guard let job = row.job, let attempt = try unit.rows.openAttempt(ofJob: job), attempt.taken else {
                    continue
                }
                try self.askForGrant(unit, attempt)
            }
        }
    }

    private func askAgain(_ unit: UnitOfWork, _ row: RunnerRow) throws {
        guard let grant = row.grant else { return try askForContainer(unit, row.id) }
        unit.afterCommit {
            if self.attached.contains(row.id) { self.wipe(row.id, grant) }
        }
    }

    private func grantAgain(_ unit: UnitOfWork, _ row: RunnerRow) throws {
        guard let job = row.job, let attempt = try unit.rows.openAttempt(ofJob: job) else { return }
        try askForGrant(unit, attempt)
        if attempt.taken, let grant = row.grant { unit.afterCommit { self.wipe(row.id, grant) } }
    }
}
