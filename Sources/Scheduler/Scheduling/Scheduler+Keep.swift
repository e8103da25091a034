// Small jobs pass a large one by, until its patience is over: then nothing is begun that is trusted no more, so that
// the machine, or a vendor's devices, run empty for it. That costs everybody else, so it is done only as long as it
// can be of use: where what is in the way is bound to end before the job has waited as long again, or, for some
// minutes, where it may be expected to. Afterwards others pass for as long as they were held up.

import JobModel
import Store
import Wire

extension Scheduler {
    /// What is to be kept for the head of this line, for which there is no room now.
    func kept(
        _ unit: UnitOfWork, for line: Line, _ shape: RunnerShape, lacking lack: Floor.Lack, _ floor: Floor
    ) throws -> Kept? {
        guard let kept = Self.kept(for: shape, lacking: lack, floor),
            let waited = try unit.rows.job(line.head).map({ unit.house - $0.queuedAt }),
            waited >= settings.patience.wholeMilliseconds
        else { return nil }
        let keeping = keepings[kept] ?? Keeping()
        if keeping.isPaused(at: unit.house) { return nil }
        let longest = settings.keepInHope.wholeMilliseconds
        if floor.hasRoom(for: shape, without: leaving(floor, within: max(longest, waited), inHope: false)) {
            return kept
        }
        let isOver = keeping.since.map { unit.house - $0 >= longest } ?? false
        let hasHope = floor.hasRoom(for: shape, without: leaving(floor, within: longest, inHope: true))
        return hasHope && !isOver ? kept : nil
    }

    private static func kept(for shape: RunnerShape, lacking lack: Floor.Lack, _ floor: Floor) -> Kept? {
        if lack.isOfResources { return .machine }
        guard lack == .freeDevice, let need = shape.gpus else { return nil }
        return floor.vendorToKeep(for: need).map { .devices($0) }
    }

    /// Runners that are gone by then. `inHope`: a job is expected to go on for as long again as it has run so far, and
    /// not to be bound to use up its timeout.
    private func leaving(_ floor: Floor, within limit: Int64, inHope: Bool) -> Set<Bytes16> {
        let now = self.now
        let span = UInt64(max(limit, 0)) * 1_000_000
        let leaving = floor.occupants.filter { occupant in
            if occupant.isOnItsWayOut { return true }
            // One that waits makes room.
            guard let job = occupant.job else { return !occupant.isStuck }
            guard let work = works[job] else { return inHope && !occupant.isStuck }
            // Overdue, and not gone: nobody knows when.
            if work.until < now { return false }
            return work.until - now <= span || inHope && now - work.since <= span
        }
        return Set(leaving.map(\.runner))
    }

    /// A whole pass through the lines has kept this, and nothing else.
    func noteKept(_ unit: UnitOfWork, _ kept: Set<Kept>) {
        unit.afterCommit {
            for old in self.keepings.keys where !kept.contains(old) { self.keepings[old]?.end(at: unit.house) }
            for new in kept { self.keepings[new, default: Keeping()].begin(at: unit.house) }
            if kept.isEmpty { return self.disarm(.keep) }
            // Nothing else may happen by which it would be looked at whether that is still of use.
            if !self.isArmed(.keep) { self.arm(.keep, after: self.settings.keepInHope) { $0.batch.dispatchNext() } }
        }
    }
}
