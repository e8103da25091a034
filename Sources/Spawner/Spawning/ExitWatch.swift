// Who has ended: one wait per running container, the result kept until the container is removed, and told to every
// watcher. After the engine or spawnerd was restarted the containers are listed and waited for again.

import Daemon
import Link
import Posix
import Runtime
import SpawnPolicy
import Wire

/// Lives on the loop's thread.
final class ExitWatch {
    private struct Entry {
        var isWaited = false
        /// It was started: the end of anything else is nobody's business.
        var isLive = false
        /// Somebody of ours wants it to end.
        var isStopping = false
        var exit: SpawnerEdge.RunnerExit?
    }

    private let loop: PollLoop
    private let runtime: any ContainerRuntime
    private let instance: String
    private let log: Log
    private var entries: [Bytes16: Entry] = [:]
    private var sinks: [ItemSink<SpawnerEdge.WatchExits.Item>] = []
    private var reconcileIsDue = false

    init(_ loop: PollLoop, _ runtime: any ContainerRuntime, _ instance: String, _ log: Log) {
        self.loop = loop
        self.runtime = runtime
        self.instance = instance
        self.log = log
    }

    func add(_ sink: ItemSink<SpawnerEdge.WatchExits.Item>) {
        sinks.removeAll { !$0.isOpen }
        sinks.append(sink)
        // A watcher that comes late misses nothing that still has a container.
        for case let entry in entries.values where entry.isLive {
            if let exit = entry.exit { sink.send(.init(exit: exit)) }
        }
    }

    /// Begins to wait; `registered` when the engine does so, or with the error.
    func wait(
        _ runner: Bytes16, _ name: String, _ moment: WaitMoment,
        registered: @escaping (RuntimeError?) -> Void = { _ in }
    ) {
        if entries[runner]?.isWaited == true { return registered(nil) }
        entries[runner, default: Entry()].isWaited = true
        var answered = false
        func register(_ error: RuntimeError?) {
            if !answered { registered(error) }
            answered = true
        }
        runtime.wait(name, moment) {
            register(nil)
        } ended: { result in
            self.entries[runner]?.isWaited = false
            switch result {
            case .success(let code):
                register(nil)
                self.ended(runner, name, code)
            case .failure(let error):
                register(error)
                // Else the engine went away, not necessarily the container.
                if error == .noSuchContainer { self.gone(runner) } else { self.reconcileLater() }
            }
        }
    }

    func started(_ runner: Bytes16) {
        entries[runner, default: Entry()].isLive = true
        if let exit = entries[runner]?.exit { tell(exit) }
    }

    func willStop(_ runner: Bytes16) { entries[runner]?.isStopping = true }

    /// The container is removed, or is about to be because its start failed.
    func forget(_ runner: Bytes16) { entries[runner] = nil }

    /// Lists what is there, waits for what runs and reports what has ended unseen. `answer`: all of them.
    func reconcile(_ answer: @escaping (Result<[ListedContainer], RuntimeError>) -> Void) {
        runtime.list(instance: instance) { result in
            switch result {
            case .failure(let error):
                self.reconcileLater()
                answer(.failure(error))
            case .success(let containers):
                self.take(containers)
                answer(.success(containers))
            }
        }
    }

    private func take(_ containers: [ListedContainer]) {
        var seen: Set<Bytes16> = []
        for container in containers {
            guard let runner = Bytes16(hex: container.runner),
                container.name == SpawnPolicy.containerName(runner: container.runner, instance: instance)
            else { continue }
            seen.insert(runner)
            if container.state == .created { continue }
            entries[runner, default: Entry()].isLive = true
            if container.state == .running { wait(runner, container.name, .notRunning) }
            if container.state == .exited { ended(runner, container.name, 0) }
        }
        for (runner, entry) in entries where !seen.contains(runner) && !entry.isWaited { gone(runner) }
    }

    private func reconcileLater() {
        if reconcileIsDue { return }
        reconcileIsDue = true
        loop.after(.seconds(1)) {
            self.reconcileIsDue = false
            self.reconcile { _ in }
        }
    }

    /// SIGKILL; what the runner says of a SIGTERM from outside; what an engine says of an end that it did not see.
    private static let stopped: Set<UInt16> = [137, 143, 255]

    /// Asks what it died of: `wait` says nothing about memory.
    private func ended(_ runner: Bytes16, _ name: String, _ code: UInt16) {
        guard let entry = entries[runner], entry.exit == nil else { return }
        runtime.status(name) { result in
            switch result {
            case .success(let status) where status.state == .exited:
                let asked = self.entries[runner]?.isStopping ?? false
                let outside = Self.stopped.contains(status.exitCode) && !status.outOfMemory && !asked
                let detail = outside ? "ended from outside; was the engine stopped or restarted?" : status.detail
                self.report(
                    .init(
                        runner: runner, exitCode: status.exitCode, outOfMemory: status.outOfMemory, detail: detail))
            case .failure(.noSuchContainer):
                self.report(.init(runner: runner, exitCode: code, outOfMemory: false, detail: ""))
            // It runs, after all: a container that was removed and made anew. Or the engine is away.
            case .success, .failure: self.reconcileLater()
            }
        }
    }

    private func gone(_ runner: Bytes16) {
        if entries[runner]?.isLive != true { return }
        report(.init(runner: runner, exitCode: 137, outOfMemory: false, detail: "the container is gone"))
    }

    private func report(_ exit: SpawnerEdge.RunnerExit) {
        guard let entry = entries[exit.runner], entry.exit == nil else { return }
        entries[exit.runner]?.exit = exit
        if entry.isLive { tell(exit) }
    }

    private func tell(_ exit: SpawnerEdge.RunnerExit) {
        log.info(
            "runner ended", ["runner": exit.runner.hex, "code": "\(exit.exitCode)", "oom": "\(exit.outOfMemory)"])
        for sink in sinks { sink.send(.init(exit: exit)) }
    }
}
