// What Prometheus is told. The counters are Meter's; the rest is read when it is asked for, at a cost that does not
// grow with the jobs that wait. The siblings are asked for theirs first: one that does not answer in time leaves its
// metrics out.

import Daemon
import Exposition
import JobModel
import JobWire
import Link
import Store
import TrustWire
import Wire

/// What the siblings count.
struct SiblingCounters {
    var relay: RelayEdge.ReadCounters.Reply?
    var devices: [SpawnerEdge.DeviceUse] = []
}

extension Scheduler {
    /// The log's line is what leads from a job to its runner: spawnerd and the engine know no jobs.
    func noteStart(of job: UInt64, on runner: Bytes16, isWarm: Bool) {
        meter.countAttempt(job, isWarm: isWarm)
        log.info("job has a runner", ["job": "\(job)", "runner": runner.hex, "start": isWarm ? "warm" : "cold"])
    }

    func readMetrics(_ request: SchedulerEdge.ReadMetrics, _ sink: ItemSink<SchedulerEdge.ReadMetrics.Item>) {
        admit("metrics", request.token, to: .seeHouse, .house, fail: { sink.fail($0) }) { [weak self] unit, _ in
            unit.afterCommit {
                self?.askSiblings { siblings in
                    self?.batch.question("metrics", fail: { sink.fail($0) }) { [weak self] unit in
                        guard let self else { throw Failure(.shuttingDown, "") }
                        let text = try metrics(unit, siblings)
                        unit.afterCommit { Self.send(text, sink) }
                    }
                }
            }
        }
    }

    /// A scrape does not wait for long.
    static let counterDeadline = Duration.seconds(2)

    private func askSiblings(_ done: @escaping (SiblingCounters) -> Void) {
        var counters = SiblingCounters()
        var missing = 2
        func arrived() {
            missing -= 1
            if missing == 0 { done(counters) }
        }
        // Without devices there is nothing to ask spawnerd.
        if spawner.isReady, host?.devices.isEmpty == false {
            spawner.readDevices(deadline: Self.counterDeadline) { result in
                counters.devices = (try? result.get()) ?? []
                arrived()
            }
        } else {
            arrived()
        }
        if relay.isReady {
            relay.readCounters(deadline: Self.counterDeadline) { result in
                counters.relay = try? result.get()
                arrived()
            }
        } else {
            arrived()
        }
    }

    /// In pieces that fit an item and end with a line.
    private static func send(_ text: String, _ sink: ItemSink<SchedulerEdge.ReadMetrics.Item>) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            var piece = rest.prefix(32_768)
            if piece.count < rest.count, let end = piece.lastIndex(of: UInt8(ascii: "\n")) { piece = rest[...end] }
            sink.send(.init(text: String(decoding: piece, as: UTF8.self)))
            rest = rest[piece.endIndex...]
        }
        sink.end()
    }

    private func metrics(_ unit: UnitOfWork, _ siblings: SiblingCounters) throws -> String {
        var text = MetricsText()
        try writeJobs(unit, &text)
        try writeHouse(unit, &text)
        writeMeter(&text)
        try writeSiblings(unit, siblings, &text)
        return text.text
    }

    private func writeJobs(_ unit: UnitOfWork, _ text: inout MetricsText) throws {
        let tally = try unit.rows.tally()
        text.family("bulkhead_jobs", .gauge, "Jobs in the database by state.")
        for state in Wire.JobState.allCases { text.sample(tally[state] ?? 0, ["state": "\(state)".snakeCased]) }
        text.family("bulkhead_queue_jobs", .gauge, "Queued jobs by pool and by what keeps them from a runner.")
        for (key, jobs) in try queueReasons(unit, queued: tally[.queued] ?? 0) {
            text.sample(jobs, ["image": key.image, "trust": key.trust, "reason": key.reason])
        }
    }

    private func writeHouse(_ unit: UnitOfWork, _ text: inout MetricsText) throws {
        text.family("bulkhead_runners", .gauge, "Runners by state.")
        let runners = Dictionary(grouping: try unit.rows.runners(), by: \.state)
        for state in Wire.RunnerState.allCases { text.sample(runners[state]?.count ?? 0, ["state": "\(state)"]) }
        text.family("bulkhead_runners_limit", .gauge, "Runners that may exist at once.")
        text.sample(settings.runnerLimit)
        text.family("bulkhead_draining", .gauge, "1 while the house drains and no job begins.")
        text.sample(isDraining ? 1 : 0)
        text.family("bulkhead_daemon_up", .gauge, "1 if schedulerd has a connection to this daemon.")
        let daemons = [
            (Role.schedulerd, true), (.brokerd, broker.isReady), (.spawnerd, spawner.isReady), (.relayd, relay.isReady),
        ]
        for (role, isUp) in daemons { text.sample(isUp ? 1 : 0, ["daemon": "\(role)"]) }
        text.family("bulkhead_store_bytes", .gauge, "Size of the scheduler's database, without its write-ahead log.")
        text.sample(try unit.rows.fileSize())
        text.family("bulkhead_build_info", .gauge, "1; the labels say what runs.")
        text.sample(1, ["version": Release.version])
    }

    private func writeMeter(_ text: inout MetricsText) {
        text.family("bulkhead_job_start_seconds", .histogram, "From joining the queue to the runner that was told.")
        text.sample(meter.coldStarts, ["start": "cold"])
        text.sample(meter.warmStarts, ["start": "warm"])
        text.family("bulkhead_dispatch_seconds", .histogram, "One look at the queue, inside its transaction.")
        text.sample(meter.dispatch)
        text.family("bulkhead_attempts_total", .counter, "Jobs that were given a runner.")
        text.sample(meter.attempts)
        text.family("bulkhead_retries_total", .counter, "Jobs that came back to the queue after a fault of the house.")
        text.sample(meter.retries)
        text.family("bulkhead_engine_errors_total", .counter, "Requests to the engine that failed, by error.")
        for (code, count) in meter.engineErrors.sorted(by: { $0.key < $1.key }) {
            text.sample(count, ["code": code])
        }
        text.family("bulkhead_commits_total", .counter, "Transactions of the scheduler's database.")
        text.sample(batch.commits)
    }

    private func writeSiblings(_ unit: UnitOfWork, _ siblings: SiblingCounters, _ text: inout MetricsText) throws {
        if let relay = siblings.relay {
            text.family("bulkhead_log_bytes_total", .counter, "Bytes of logs that relayd wrote since its start.")
            text.sample(relay.logBytes)
            text.family("bulkhead_masked_bytes_total", .counter, "Bytes that relayd masked in logs since its start.")
            text.sample(relay.maskedBytes)
        }
        let known = Dictionary(
            (host?.devices ?? []).map { ($0.id, $0.vendor) }, uniquingKeysWith: { first, _ in first })
        let runners = Dictionary(
            try unit.rows.leases().map { ($0.device, $0.runner) }, uniquingKeysWith: { first, _ in first })
        let uses = siblings.devices.compactMap { use -> (id: String, vendor: String, runner: String, busy: Double)? in
            guard let busy = use.busyPercent, let vendor = known[use.id], let runner = runners[use.id] else {
                return nil
            }
            return (use.id, "\(vendor)", runner.hex, Double(busy) / 100)
        }
        if uses.isEmpty { return }
        text.family("bulkhead_device_busy_ratio", .gauge, "How busy a leased device is, from 0 to 1.")
        for use in uses {
            text.sample(use.busy, ["device": use.id, "vendor": use.vendor, "runner": use.runner])
        }
    }
}
