// A driver that a test holds by the strings: it records the order of calls and answers what it is told to.

import Endpoints
import Posix
import Runtime
import SpawnPolicy

final class FakeRuntime: ContainerRuntime {
    let loop: PollLoop
    private(set) var calls: [String] = []
    var hostFacts: Result<HostFacts, RuntimeError> = .success(
        HostFacts(
            engine: "fake", version: "1", userNamespaces: true, cpus: 2, memoryBytes: 1 << 30, platforms: [hostPlatform]
        ))
    var imageFacts: Result<ImageFacts, RuntimeError> = .success(anImage())
    /// What a create answers instead of making a container.
    var creation: Result<Creation, RuntimeError>?
    var verdict: RuntimeError?
    var startError: RuntimeError?
    var attachError: RuntimeError?
    var listError: RuntimeError?
    var removeError: RuntimeError?
    /// Containers by name; `start` and the tests change their state. Their ids: see `set`.
    var containers: [String: ContainerStatus] = [:]
    var listed: [ListedContainer] = []
    private var waits: [String: Answer<UInt16>] = [:]
    /// Called when a call of this name arrives, before it is answered.
    var onCall: [String: () -> Void] = [:]
    /// The container's end of what was attached.
    var peers: [Int32] = []

    init(_ loop: PollLoop) { self.loop = loop }

    func calls(of kind: String) -> [String] { calls.filter { $0.hasPrefix(kind) } }

    /// The container of this name ends.
    func end(_ name: String, code: UInt16, outOfMemory: Bool = false) {
        containers[name] = ContainerStatus(
            id: containers[name]?.id ?? "id-of-\(name)", state: .exited, exitCode: code, outOfMemory: outOfMemory,
            detail: "", instance: "test", runner: String(name.suffix(32)))
        waits.removeValue(forKey: name)?(.success(code))
    }

    /// The engine drops the waiting connections.
    func breakWaits() {
        let all = waits
        waits = [:]
        for answer in all.values { answer(.failure(.unavailable("gone"))) }
    }

    private func record(_ call: String, _ body: @escaping () -> Void) {
        calls.append(call)
        onCall[String(call.prefix(while: { $0 != " " }))]?()
        loop.soon(body)
    }

    func host(_ answer: @escaping Answer<HostFacts>) { record("host") { answer(self.hostFacts) } }

    func image(_ name: String, _ answer: @escaping Answer<ImageFacts>) {
        record("image \(name)") { answer(self.imageFacts) }
    }

    func create(_ plan: BoundPlan, _ answer: @escaping Answer<Creation>) {
        record("create") {
            if let creation = self.creation { return answer(creation) }
            self.set(plan.plan.name, .created)
            answer(.success(.made(id: "id-of-\(plan.plan.name)")))
        }
    }

    func verify(_ id: String, against plan: BoundPlan, _ answer: @escaping Answer<ContainerStatus>) {
        record("verify") {
            if let verdict = self.verdict { return answer(.failure(verdict)) }
            answer(self.container(id))
        }
    }

    func status(_ name: String, _ answer: @escaping Answer<ContainerStatus>) {
        record("status") { answer(self.container(name)) }
    }

    func attach(_ name: String, _ answer: @escaping (consuming Result<AttachedStream, RuntimeError>) -> Void) {
        record("attach") {
            if let error = self.attachError { return answer(.failure(error)) }
            guard self.name(name) != nil else { return answer(.failure(.noSuchContainer)) }
            guard let pair = try? Posix.socketPair(), let mine = try? pair.first.duplicate() else {
                return answer(.failure(.unavailable("no sockets")))
            }
            self.peers.append(mine.release())
            answer(.success(AttachedStream(descriptor: pair.keepSecond(), framing: .multiplexed, pending: [7])))
        }
    }

    func wait(
        _ name: String, _ moment: WaitMoment, registered: @escaping () -> Void, ended: @escaping Answer<UInt16>
    ) {
        record("wait \(moment.rawValue)") {
            guard let name = self.name(name) else { return ended(.failure(.noSuchContainer)) }
            self.waits[name] = ended
            registered()
        }
    }

    func start(_ name: String, _ answer: @escaping Answer<Void>) {
        record("start") {
            if let error = self.startError { return answer(.failure(error)) }
            guard let name = self.name(name) else { return answer(.failure(.noSuchContainer)) }
            self.set(name, .running, id: self.containers[name]?.id)
            answer(.success(()))
        }
    }

    func remove(_ name: String, _ answer: @escaping Answer<Void>) {
        record("remove") {
            if let error = self.removeError { return answer(.failure(error)) }
            if let name = self.name(name) {
                self.containers[name] = nil
                self.waits.removeValue(forKey: name)?(.success(137))
            }
            answer(.success(()))
        }
    }

    func list(instance: String, _ answer: @escaping Answer<[ListedContainer]>) {
        record("list \(instance)") {
            if let error = self.listError { return answer(.failure(error)) }
            answer(.success(self.listed))
        }
    }

    /// Without `id`: one that is made of the name.
    func set(
        _ name: String, _ state: ContainerState, instance: String = "test", runner: String? = nil, id: String? = nil
    ) {
        containers[name] = ContainerStatus(
            id: id ?? "id-of-\(name)", state: state, exitCode: 0, outOfMemory: false, detail: "", instance: instance,
            runner: runner ?? String(name.suffix(32)))
    }

    /// The name of the container that is meant by its name or its id.
    private func name(_ nameOrID: String) -> String? {
        containers[nameOrID] != nil ? nameOrID : containers.first { $0.value.id == nameOrID }?.key
    }

    private func container(_ nameOrID: String) -> Result<ContainerStatus, RuntimeError> {
        name(nameOrID).flatMap { containers[$0] }.map { .success($0) } ?? .failure(.noSuchContainer)
    }

    deinit { for peer in peers { _ = FileDescriptor(owning: peer) } }
}
