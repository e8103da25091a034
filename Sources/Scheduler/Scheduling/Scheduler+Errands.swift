// What the jobs of deliveries still need, asked of courierd and brokerd, one thing after the other: DeliveryErrand says
// what. Whatever fails for now is begun anew; a project whose forge fails rests, and the others go on.

import Daemon
import ForgeModel
import JobModel
import JobWire
import Link
import ProjectModel
import Store
import TrustModel
import TrustWire
import Wire

extension Scheduler {
    /// Deliveries that are worked on at once, in all and of one project: a forge that is slow keeps others' waiting no
    /// longer than that.
    private static let errandsAtOnce = 24
    private static let errandsOfProject = 4

    /// Takes up what is open, as long as there is room. Looking costs as much as there is to do: many are taken up at
    /// once, or a moment later.
    func goOnWithDeliveries() {
        let room = Self.errandsAtOnce - errands.count
        if room >= Self.errandsAtOnce / 2 { return takeUpDeliveries() }
        if isArmed(.deliveries) { return }
        arm(.deliveries, after: settings.deliveriesPause) { $0.takeUpDeliveries() }
    }

    private func takeUpDeliveries() {
        let room = Self.errandsAtOnce - errands.count
        guard room > 0 else { return }
        let resting = forgeTroubles.filter(\.value.isPaused).map(\.key)
        batch.question("open deliveries", fail: { self.log.warning("deliveries wait", ["why": $0.text]) }) { unit in
            let open = try unit.rows.openDeliveries(
                limit: room, ofProject: Self.errandsOfProject, known: Set(self.errands.keys), but: resting)
            for row in open { try self.takeUp(unit, row) }
        }
    }

    /// What cannot be read of one delivery ends that one, and holds up no other.
    private func takeUp(_ unit: UnitOfWork, _ row: DeliveryRow) throws {
        let open = try unit.rows.openJobs(of: row.id)
        let found = Result { try self.errand(unit, row, open) }
        unit.afterCommit {
            guard self.errands[row.id] == nil else { return }
            self.errands[row.id] = .some(nil)
            if case .approval = row.word.event { return self.askToApprove(row) }
            switch found {
            case .success(let errand?):
                self.errands[row.id] = errand
                self.goOn(errand)
            case .success(nil):
                self.close(row.id, open, Failure(.conflict, "the project's rules have changed since"))
            case .failure(let error): self.close(row.id, open, Failure(.internal, "it cannot be read: \(error)"))
            }
        }
    }

    private func errand(
        _ unit: UnitOfWork, _ row: DeliveryRow, _ open: [OpenDeliveryJob]
    ) throws -> DeliveryErrand? {
        guard let stored = try unit.rows.project(row.project), stored.revision == row.word.revision,
            var event = row.word.event.event
        else { return nil }
        let project = try StoredProject.read(stored.document)
        if case .change(let change) = event { event = .change(change.based(on: row.base)) }
        let plan = project.plan(
            for: event, files: nil, approval: try approval(unit, on: event, of: project),
            PolicyRevision(digest: stored.revision.array))
        guard case .jobs(let work) = plan else { return nil }
        return DeliveryErrand(
            row, project, work, approval: try unit.rows.approval(row.project, number: row.number), open: open)
    }

    /// Still worked on: what is answered late is answered to nobody.
    func isUnderWay(_ errand: DeliveryErrand) -> Bool { errands[errand.row.id].flatMap { $0 } === errand }

    // MARK: one step after the other

    func goOn(_ errand: DeliveryErrand) {
        guard isUnderWay(errand) else { return }
        do {
            guard let step = try errand.next() else { return finish(errand) }
            take(step, errand)
        } catch {
            leaveOut(errand, (error as? Failure)?.text ?? "\(error)")
        }
    }

    private func take(_ step: DeliveryErrand.Step, _ errand: DeliveryErrand) {
        switch step {
        case .hold(let definition): return hold(errand, definition)
        case .ticket(let definition): return vouch(errand, definition)
        case .leaveOut(let remark): return leaveOut(errand, remark)
        case .files, .base, .jobFile, .source: break
        }
        guard let place = errand.place else { return leaveOut(errand, "its delivery names no repository") }
        guard courier.isReady else { return rest(errand, Failure(.disconnected, "courierd is away")) }
        switch step {
        case .files: askFiles(errand, place)
        case .base: askBase(errand, place)
        case .jobFile(let file, let commit, let branch):
            let request = CourierEdge.ReadJobFile(
                place: place, commit: commit, branch: branch, job: errand.job?.name ?? "", rule: file.rule)
            courier.readJobFile(request) {
                self.took($0, errand) { errand.read = ($0.definition, $0.word) }
            }
        case .source: fetch(errand, place)
        case .hold, .ticket, .leaveOut: break
        }
    }

    private func askFiles(_ errand: DeliveryErrand, _ place: CourierEdge.ForgePlace) {
        var before = ""
        if case .push(let push) = errand.word.event { before = push.before }
        let request = CourierEdge.AskFiles(
            place: place, number: errand.row.number, base: before.isEmpty ? errand.work.source.hex : before,
            head: errand.work.source.hex)
        courier.askFiles(request) { result in
            // What the forge will never say is not known, and fits every filter: after a forced push, for one.
            var result = result
            if case .failure(let failure) = result, failure.errorCode.retry != .later {
                result = .success(.init(files: [], complete: false))
            }
            self.took(result, errand) { errand.files = $0 }
        }
    }

    /// It is written, and all begins anew with it: the trust of a change depends on where it is based.
    private func askBase(_ errand: DeliveryErrand, _ place: CourierEdge.ForgePlace) {
        courier.askChange(.init(place: place, number: errand.row.number)) { result in
            guard self.isUnderWay(errand) else { return }
            switch result {
            case .failure(let failure): self.failed(errand, failure)
            case .success(let reply) where [.closed, .merged].contains(reply.change.action):
                self.leaveOut(errand, "the change is closed")
            // Another base would be another trust: what the delivery says is what it is judged by.
            case .success(let reply)
            where reply.change.head.commit != errand.work.source.hex
                || errand.change?.goes(into: reply.change.base.branch) != true:
                self.leaveOut(errand, "the change has gone on")
            case .success(let reply):
                guard let base = reply.base else { return self.askBaseAgain(errand) }
                self.batch.event("base of a change") { unit in
                    try unit.rows.setBase(errand.row.id, base)
                    unit.afterCommit { self.beginAnew(errand) }
                }
            }
        }
    }

    /// The forge compares the two a moment after a push; of a change without any commits it never does.
    private func askBaseAgain(_ errand: DeliveryErrand) {
        errand.baseAsked += 1
        guard errand.baseAsked < Self.baseQuestions else {
            return leaveOut(errand, "the forge does not say what the change is based on; send it again")
        }
        arm(.base(errand.row.id), after: settings.basePause) { $0.goOn(errand) }
    }

    private static let baseQuestions = 12

    private func took<Value>(
        _ result: Result<Value, Failure>, _ errand: DeliveryErrand, _ keep: (Value) -> Void
    ) {
        guard isUnderWay(errand) else { return }
        switch result {
        case .failure(let failure): failed(errand, failure)
        case .success(let value):
            keep(value)
            goOn(errand)
        }
    }

    // MARK: what does not go on

    /// For now or for good, as the failure says.
    func failed(_ errand: DeliveryErrand, _ failure: Failure) {
        // courierd has enough to do: nobody's forge is to blame.
        if failure.errorCode == .limitReached { return release(errand.row.id, after: settings.basePause) }
        if failure.errorCode.retry == .later { return rest(errand, failure) }
        log.warning("no job for a delivery", ["delivery": "\(errand.row.id)", "why": failure.text])
        let job = errand.job.map { "job '\($0.name)' does not run: " } ?? ""
        leaveOut(errand, job + failure.text + (failure.place.isEmpty ? "" : " (\(failure.place))"))
    }

    /// Begun anew when its project's forge has rested, or when courierd or brokerd is back.
    func rest(_ errand: DeliveryErrand, _ failure: Failure) {
        guard isUnderWay(errand) else { return }
        rest(errand.row.project, failure)
        release(errand.row.id)
    }

    /// Its place is for others; what is open of it is taken up again in its turn.
    func release(_ delivery: UInt64, after pause: Duration? = nil) {
        errands[delivery] = nil
        guard let pause else { return goOnWithDeliveries() }
        if !isArmed(.deliveries) { arm(.deliveries, after: pause) { $0.takeUpDeliveries() } }
    }

    func beginAnew(_ errand: DeliveryErrand) {
        if isUnderWay(errand) { release(errand.row.id) }
    }
}
