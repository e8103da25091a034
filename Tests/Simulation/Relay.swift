// relayd: it holds the runners' streams, and what it has heard of an attempt is on its disk until that is settled. A
// new watcher is told everything again.

import JobWire
import Link
import Wire

final class Relay: Peer {
    private struct Log {
        let job: RelayEdge.RunJob
        var events: [RelayEdge.RelayEvent] = []
        var isStarted = false
        var hasEnded = false
        var grace: UInt32?
    }

    private unowned let house: Simulation
    /// On disk. Sorted where they are told, since a run must be the same every time.
    private var logs: [Attempt: Log] = [:]
    /// Streams that it holds.
    private var streams: [Bytes16: Container] = [:]
    private var watcher: ((RelayEdge.RelayEvent) -> Void)?

    init(_ house: Simulation) {
        self.house = house
        super.init("relayd", house.world)
    }

    override func died() {
        streams = [:]
        watcher = nil
    }

    /// Nothing that schedulerd could not know of is kept.
    var openLogs: [Attempt] { logs.keys.sorted { $0.job < $1.job } }

    // MARK: runners

    func hears(_ container: Container) -> Bool { isUp && streams[container.runner] === container }

    func attach(_ container: Container) {
        guard container.state != .exited else { return }
        streams[container.runner] = container
        if container.isMute { return waitForWord(of: container) }
        if container.hasKey { hello(container) }
    }

    /// The runner speaks, if it is attached.
    func hello(_ container: Container) {
        guard hears(container) else { return }
        let life = life
        world.after(world.between(20_000, 3 * .millisecond)) { [self] in
            run(in: life) { [self] in
                guard hears(container), !container.isMute, container.state == .running else { return }
                watcher?(.runnerReady(.init(runner: container.runner)))
                offer(container)
                container.send()
            }
        }
    }

    /// It does not answer: after a while it is given up, in every life anew.
    func waitForWord(of container: Container) {
        guard hears(container) else { return }
        let life = life
        world.after(world.between(10 * .second, 60 * .second)) { [self] in
            run(in: life) { [self] in
                guard hears(container), container.isMute else { return }
                streams[container.runner] = nil
                watcher?(
                    .runnerLost(
                        .init(
                            runner: container.runner, code: ErrorCode.deadlineExceeded.rawValue,
                            reason: "nothing heard of it")))
            }
        }
    }

    /// The stream has ended.
    func hungUp(_ container: Container) {
        guard hears(container) else { return }
        run(in: life) { [self] in
            guard hears(container) else { return }
            streams[container.runner] = nil
            watcher?(
                .runnerLost(
                    .init(runner: container.runner, code: ErrorCode.disconnected.rawValue, reason: "end of stream")))
        }
    }

    private func offer(_ container: Container) {
        guard let attempt = unfinished(on: container.runner), container.hasKey else { return }
        let life = life
        world.after(world.between(20_000, 3 * .millisecond)) { [self] in
            guard hears(container), !container.isMute, self.life == life, let job = logs[attempt]?.job else { return }
            container.take(job)
            run(in: life) { [self] in
                guard logs[attempt] != nil, container.state == .running else { return }
                logs[attempt]?.isStarted = true
                watcher?(.jobStarted(.init(attempt: attempt)))
                if let grace = logs[attempt]?.grace { container.cancel(grace: grace) }
            }
        }
    }

    private func unfinished(on runner: Bytes16) -> Attempt? {
        openLogs.first { logs[$0]?.job.runner == runner && logs[$0]?.hasEnded == false }
    }

    /// A record is on disk.
    func take(_ event: RelayEdge.RelayEvent, from container: Container) {
        guard let attempt = container.job?.attempt, logs[attempt] != nil else { return }
        logs[attempt]?.events.append(event)
        if case .jobFinished = event {
            logs[attempt]?.hasEnded = true
            house.checker.kept(attempt)
        }
        watcher?(event)
    }

    // MARK: schedulerd

    func runJob(_ job: RelayEdge.RunJob) -> Failure? {
        if let known = logs[job.attempt] {
            return known.job == job ? nil : Failure(.conflict, "this attempt began with another request")
        }
        if unfinished(on: job.runner) != nil { return Failure(.busy, "this runner has a job") }
        house.checker.told(job)
        logs[job.attempt] = Log(job: job)
        if let container = streams[job.runner] { offer(container) }
        return nil
    }

    func cancel(_ attempt: Attempt, _ grace: UInt32) -> Failure? {
        guard let log = logs[attempt] else { return Failure(.notFound, "no such attempt") }
        if log.hasEnded { return nil }
        logs[attempt]?.grace = grace
        if log.isStarted { streams[log.job.runner]?.cancel(grace: grace) }
        return nil
    }

    func settle(_ attempt: Attempt) {
        guard let log = logs.removeValue(forKey: attempt), !log.hasEnded else { return }
        if let container = streams.removeValue(forKey: log.job.runner) {
            watcher?(
                .runnerLost(
                    .init(runner: container.runner, code: ErrorCode.runnerGone.rawValue, reason: "given up")))
        }
    }

    func drop(_ runner: Bytes16) {
        streams.removeValue(forKey: runner)?.exit(0)
    }

    func watch(_ sink: @escaping (RelayEdge.RelayEvent) -> Void) {
        watcher = sink
        for (runner, container) in streams.sorted(by: { $0.key.hex < $1.key.hex }) where container.hasKey {
            sink(.runnerReady(.init(runner: runner)))
        }
        for attempt in openLogs {
            guard let log = logs[attempt] else { continue }
            if log.isStarted { sink(.jobStarted(.init(attempt: attempt))) }
            for event in log.events { sink(event) }
        }
    }
}
