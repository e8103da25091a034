// Who has ended: one wait per running container, the results kept until the container is removed, and told to every
// watcher. After the engine or spawnerd was restarted the containers are listed and waited for again.

import Daemon
import Link
import Posix
import Runtime
import SpawnPolicy
import Wire

/// Lives on the loop's thread.
final class ExitWatch {
    private let loop: PollLoop
    private let runtime: any ContainerRuntime
    private let instance: String
    private let log: Log
    private var waiting: Set<Bytes16> = []
    /// Containers that run, as far as we know: the end of anything else is nobody's business.
    private var live: Set<Bytes16> = []
    /// Ends that came before the start was reported.
    private var early: Set<Bytes16> = []
    private var exits: [Bytes16: SpawnerEdge.RunnerExit] = [:]
    private var stopping: Set<Bytes16> = []
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
        for exit in exits.values { sink.send(.init(exit: exit)) }
    }

    /// Begins to wait; `registered` when the engine does so, or with the error.
    func wait(
        _ runner: Bytes16, _ name: String, _ moment: WaitMoment,
        registered: @escaping (RuntimeError?) -> Void = { _ in }
    ) {
        guard waiting.insert(runner).inserted else { return registered(nil) }
        var answered = false
        runtime.wait(name, moment) {
            answered = true
            registered(nil)
        } ended: { result in
            self.waiting.remove(runner)
            if !answered {
                answered = true
                if case .failure(let error) = result { registered(error) } else { registered(nil) }
            }
            switch result {
            case .success(let code): self.ended(runner, name, code)
            case .failure(.noSuchContainer): self.gone(runner)
            // The engine went away, not necessarily the container.
            case .failure: self.reconcileLater()
            }
        }
    }

    func started(_ runner: Bytes16) {
        live.insert(runner)
        if early.remove(runner) != nil, let exit = exits[runner] { tell(exit) }
    }

    func willStop(_ runner: Bytes16) { stopping.insert(runner) }

    /// The container is removed, or is about to be because its start failed.
    func forget(_ runner: Bytes16) {
        live.remove(runner)
        early.remove(runner)
        stopping.remove(runner)
        exits[runner] = nil
    }

    /// Lists what is there, waits for what runs and reports what has ended unseen. `answer`: the highest epoch of a label.
    func reconcile(_ answer: @escaping (Result<UInt64, RuntimeError>) -> Void) {
        runtime.list(instance: instance) { result in
            switch result {
            case .failure(let error):
                self.reconcileLater()
                answer(.failure(error))
            case .success(let containers):
                self.take(containers)
                answer(.success(containers.map(\.epoch).max() ?? 0))
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
            live.insert(runner)
            if container.state == .running { wait(runner, container.name, .notRunning) }
            if container.state == .exited && !waiting.contains(runner) { ended(runner, container.name, 0) }
        }
        for runner in live where !seen.contains(runner) && !waiting.contains(runner) { gone(runner) }
    }

    private func reconcileLater() {
        if reconcileIsDue { return }
        reconcileIsDue = true
        loop.after(.seconds(1)) {
            self.reconcileIsDue = false
            self.reconcile { _ in }
        }
    }

    /// Asks what it died of: `wait` says nothing about memory.
    private func ended(_ runner: Bytes16, _ name: String, _ code: UInt16) {
        if exits[runner] != nil { return }
        runtime.status(name) { result in
            switch result {
            case .success(let status):
                let asked = self.stopping.contains(runner)
                let outside = status.exitCode == 137 && !status.outOfMemory && !asked
                let detail = outside ? "killed from outside the container; was the engine restarted?" : status.detail
                self.report(.init(runner: runner, exitCode: status.exitCode, outOfMemory: status.outOfMemory, detail: detail))
            case .failure(.noSuchContainer):
                self.report(.init(runner: runner, exitCode: code, outOfMemory: false, detail: ""))
            case .failure: self.reconcileLater()
            }
        }
    }

    private func gone(_ runner: Bytes16) {
        guard live.contains(runner), exits[runner] == nil else { return }
        report(.init(runner: runner, exitCode: 137, outOfMemory: false, detail: "the container is gone"))
    }

    private func report(_ exit: SpawnerEdge.RunnerExit) {
        guard exits.updateValue(exit, forKey: exit.runner) == nil else { return }
        if live.contains(exit.runner) { tell(exit) } else { early.insert(exit.runner) }
    }

    private func tell(_ exit: SpawnerEdge.RunnerExit) {
        log.info("runner ended", ["runner": exit.runner.hex, "code": "\(exit.exitCode)", "oom": "\(exit.outOfMemory)"])
        for sink in sinks { sink.send(.init(exit: exit)) }
    }
}
