// What nobody keeps any more goes, and what cannot go is in nobody's way.

import JobModel
import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct RetentionTests {
    private func house(_ retention: Duration = .zero) throws -> House {
        try House {
            $0.retention = retention
            $0.sweep = .milliseconds(5)
        }
    }

    /// Jobs that ended long ago, by the time of the house.
    private func ended(_ house: House, _ count: Int) throws -> [UInt64] {
        var jobs: [UInt64] = []
        try house.store.write { rows throws in
            for number in 0..<count {
                let job = try Samples.insert(rows, "old \(number)")
                try rows.advance(job: job, on: .withdrawn, at: 1)
                jobs.append(job)
            }
        }
        try house.patch("UPDATE jobs SET ended_at = -7200000 WHERE name LIKE 'old %'")
        return jobs
    }

    /// By it, what ended just now ended a year ago, and the upload was given up long since.
    @Test func aClockThatJumpsRemovesNothing() throws {
        let house = try house(.seconds(3600))
        let (job, attempt) = try house.told("young")
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        let upload = try house.callForFD(SchedulerEdge.OpenUpload(token: Samples.token, size: 1024)).0.upload
        let source = try house.call(SchedulerEdge.FinishUpload(token: Samples.token, upload: upload)).source
        house.wall.jump = .seconds(365 * 86_400)
        // Both sweeps have been there when these are gone.
        let old = try ended(house, 1)
        let unused = Bytes32(1, 1, 1, 1)
        try house.patch("INSERT INTO sources (sha, size, claims, touched_at) VALUES (x'\(unused.hex)', 1, 0, 0)")
        try house.run("forgotten") { try house.witness.see { try $0.job(old[0]) == nil } }
        try house.run("removed") { house.relay.removedSources.contains(unused) }
        #expect(try house.state(job) == .succeeded)
        #expect(!house.relay.removedSources.contains(source.sha256))
    }

    @Test func whatEndedLongAgoGoesWithItsLogs() throws {
        let house = try house(.seconds(3600))
        let (young, attempt) = try house.told("young")
        house.relay.finish(attempt, .succeeded)
        try house.run(young, to: .succeeded)
        let old = try ended(house, 3)
        try house.run("forgotten") { try house.witness.see { rows in try old.allSatisfy { try rows.job($0) == nil } } }
        #expect(Set(house.relay.removedLogs) == Set(old))
        #expect(try house.state(young) == .succeeded)
    }

    /// More than one sweep takes at once, and none of them can be removed: those behind them go.
    @Test func logsThatCannotBeRemovedAreInNobodysWay() throws {
        let house = try house()
        let old = try ended(house, 130)
        house.relay.stuckLogs = Set(old.prefix(105))
        try house.run("the rest is forgotten") {
            try house.witness.see { rows in try old.suffix(25).allSatisfy { try rows.job($0) == nil } }
        }
        #expect(try house.job(old[0]).isFinal, "no row goes before its log")
        house.relay.stuckLogs = []
        try house.run("all are") { try house.witness.see { rows in try old.allSatisfy { try rows.job($0) == nil } } }
    }

    @Test func withoutALimitNothingGoes() throws {
        let house = try House { $0.sweep = .milliseconds(5) }
        let old = try ended(house, 1)
        for _ in 0..<5 { house.settle() }
        #expect(try house.job(old[0]).isFinal && house.relay.removedLogs.isEmpty)
    }

    /// Whoever sends a new shape with every job leaves no more behind than jobs, and these go.
    @Test func shapesThatNobodyUsesGo() throws {
        let house = try House {
            $0.sweep = .milliseconds(5)
            $0.cooldown = .zero
        }
        let (job, attempt) = try house.told("runs")
        let gone = try house.submit("gone", image: "gone")
        let waits = try house.submit("waits", image: "waits") { $0.schedule.tags = ["nowhere"] }
        house.relay.finish(attempt, .succeeded)
        try house.run(job, to: .succeeded)
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == gone } }
        house.relay.finish(try house.relay.attempt(), .succeeded)
        try house.run(gone, to: .succeeded)
        try house.expectEmpty()
        let shape = try house.job(gone).shape
        for _ in 0..<5 { house.settle() }
        #expect(try house.witness.see { try $0.shape(shape).image } == "gone", "its job names it still")
        try house.store.write { rows throws in try rows.forget(job: gone) }
        try house.run("gone") {
            try house.witness.see { rows in
                do { return try rows.shape(shape).image.isEmpty } catch StoreError.damagedRow { return true }
            }
        }
        for kept in [job, waits] {
            let shape = try house.job(kept).shape
            #expect(try !house.witness.see { try $0.shape(shape).image }.isEmpty)
        }
        let next = try house.submit("next", image: "next")
        #expect(try house.job(next).shape > shape, "its number is nobody else's")
    }

    /// A few at a time, and all of them in the end.
    @Test func allShapesAreLookedAt() throws {
        let directory = try TemporaryDirectory()
        let store = try Store(path: directory.database)
        try store.write { rows throws in
            let keys = try (0..<5).map { try rows.key(of: Samples.shape("i\($0)")) }
            let last = try #require(try rows.forgetShapes(after: 0, limit: 3))
            #expect(last == keys[2])
            #expect(try rows.forgetShapes(after: last, limit: 3) == nil)
            #expect(try rows.key(of: Samples.shape("i0")) == keys[4] + 1)
        }
    }
}
