// What keeps the jobs in line from runners at one moment, as far as it is the same for all of them: looked at once for
// an answer, so that a page of jobs costs the same whatever waits.

import JobModel
import Store
import Wire

/// Belongs to one question; what it has not been asked for yet is nil.
final class Outlook {
    /// Somebody who has waited long and needs more than is free: that is kept for him.
    struct Reservation {
        let job: UInt64
        let trust: Trust
        let shape: RunnerShape
        let isOfResources: Bool
    }

    let floor: Floor
    fileprivate var reservations: [Trust: [Reservation]] = [:]
    fileprivate var ranks: (before: [Rank: Int], all: Int)?

    init(_ floor: Floor) {
        self.floor = floor
    }
}

extension Scheduler {
    func outlook(_ unit: UnitOfWork) throws -> Outlook { Outlook(try floor(unit)) }

    /// The first for whom is kept what a job of this shape and trust would get.
    func reservation(
        _ unit: UnitOfWork, against shape: RunnerShape, of trust: Trust, _ outlook: Outlook
    ) throws -> Outlook.Reservation? {
        let known = try outlook.reservations[trust] ?? reservations(unit, outlook.floor, against: trust)
        outlook.reservations[trust] = known
        return known.first { $0.isOfResources || outlook.floor.keeps(for: $0.shape.gpus, from: shape.gpus) }
    }

    /// The first of each vendor's devices, down to the first of the machine itself, behind whom nobody gets anything.
    private func reservations(
        _ unit: UnitOfWork, _ floor: Floor, against trust: Trust
    ) throws -> [Outlook.Reservation] {
        var (found, known): ([Outlook.Reservation], Set<Kept>) = ([], [])
        var walk = LineWalk()
        _ = try unit.rows.nextLine(&walk, plain: false) { line in
            if line.pool.trust.rawValue > trust.rawValue { return false }
            let shape = try self.shapes.shape(line.pool.shape, unit.rows)
            guard case .notNow(let lack) = floor.room(for: shape),
                let kept = try self.kept(unit, for: line, shape, lacking: lack, floor),
                known.insert(kept).inserted
            else { return false }
            found.append(
                .init(job: line.head, trust: line.pool.trust, shape: shape, isOfResources: lack.isOfResources))
            return lack.isOfResources
        }
        meter.countLines(walk.count)
        return found
    }

    /// How many jobs in line are served before this one, as far as they are counted: of ranks before its own, and older
    /// ones of its project.
    func ahead(_ unit: UnitOfWork, of job: JobRow, _ outlook: Outlook) throws -> Int {
        let ranks = try outlook.ranks ?? unit.rows.waitingBefore(limit: Self.ranksCounted)
        outlook.ranks = ranks
        guard let others = ranks.before[Rank(project: job.project, priority: job.priority)] else { return ranks.all }
        return others + (try unit.rows.before(job, limit: Self.jobsCounted))
    }

    private static let ranksCounted = 1000
    private static let jobsCounted = 1000
}
