// One cold start, from the request to the running container:
//
//     policy - (host, image) - create - (compare, attach, wait) - hand the stream to relayd - start
//
// What stands in brackets goes out at the same time. Nothing is started that has not been compared, and nothing is left
// behind by a start that failed. Made by SpawnService, one per CreateRunner.

import Daemon
import Link
import Runtime
import SpawnPolicy
import Wire

/// Lives on the loop's thread, through the callbacks of its calls.
final class RunnerStart {
    private let service: SpawnService
    private let runner: Bytes16
    private var plan: RunnerPlan
    private let done: (Result<Void, Failure>) -> Void
    private var stream: AttachedStream?
    private var state = ContainerState.created
    /// The container's, once there is one: compared, attached, waited for and started is one and the same, whatever
    /// comes to have its name meanwhile.
    private var id = ""
    private var awaited = 0
    private var failure: Failure?
    /// A container of this name may exist because of us.
    private var mayExist = false
    /// A container of this name existed before us.
    private var existed = false
    /// After a failure: there is no container of this runner.
    private(set) var leftNothing = false
    /// RemoveRunner came meanwhile: nothing may be left of this start.
    var isAbandoned = false
    /// Run when the start is over, whatever became of it.
    var afterwards: [() -> Void] = []

    init(
        _ service: SpawnService, _ runner: Bytes16, _ plan: RunnerPlan,
        _ done: @escaping (Result<Void, Failure>) -> Void
    ) {
        self.service = service
        self.runner = runner
        self.plan = plan
        self.done = done
    }

    func begin() {
        var host: HostFacts?
        var image: ImageFacts?
        all(
            [
                { answered in
                    self.service.knowledge.host {
                        host = self.value(of: $0)
                        answered()
                    }
                },
                { answered in
                    self.service.knowledge.image(self.plan.image) {
                        image = self.value(of: $0)
                        answered()
                    }
                },
            ]
        ) {
            guard let host, let image else { return }
            guard host.userNamespaces || self.service.site.allowNoUserNamespaces else {
                return self.fail(Failure(.usernsMissing, "the engine runs without user namespaces"))
            }
            if let denial = self.plan.denial(on: host, self.service.inventory) { return self.fail(Failure(denial)) }
            switch self.plan.bound(to: image) {
            case .success(let bound): self.create(bound)
            case .failure(let denial): self.fail(Failure(denial))
            }
        }
    }

    private func create(_ bound: BoundPlan) {
        service.runtime.create(bound) { result in
            switch result {
            case .success(.made(let id)):
                self.mayExist = true
                self.id = id
                self.prepare(bound, .nextExit, verify: true)
            case .success(.existed): self.adopt(bound)
            case .failure(let error):
                // No answer is not a no.
                switch error {
                case .unavailable, .garbled: self.mayExist = true
                default: break
                }
                if case .imageMissing = error { self.service.knowledge.forget() }
                self.fail(self.failure(error))
            }
        }
    }

    /// The name was taken: by an earlier try of this very start, or by something that is not ours.
    private func adopt(_ bound: BoundPlan) {
        service.ours(runner) { result in
            switch result {
            case .success(let status):
                self.id = status.id
                self.compare(bound)
            // A stranger's: it is left alone.
            case .failure(let failure): self.fail(failure)
            }
        }
    }

    private func compare(_ bound: BoundPlan) {
        existed = true
        service.runtime.verify(id, against: bound) { result in
            switch result {
            case .success(let status) where status.state == .exited:
                self.fail(Failure(.runnerGone, "the runner's container has ended"))
            case .success(let status):
                self.state = status.state
                self.prepare(bound, status.state == .created ? .nextExit : .notRunning, verify: false)
            case .failure(let error):
                if case .mismatch = error { self.mayExist = true }
                self.fail(self.failure(error))
            }
        }
    }

    private func prepare(_ bound: BoundPlan, _ moment: WaitMoment, verify: Bool) {
        var steps: [(@escaping () -> Void) -> Void] = [
            { answered in
                self.service.runtime.attach(self.id) { result in
                    switch consume result {
                    case .success(let stream): self.stream = consume stream
                    case .failure(let error): self.failure = self.failure ?? self.failure(error)
                    }
                    answered()
                }
            },
            { answered in
                self.service.exits.wait(self.runner, self.id, moment) { error in
                    if let error { self.failure = self.failure ?? self.failure(error) }
                    answered()
                }
            },
        ]
        if verify {
            steps.append { answered in
                self.service.runtime.verify(self.id, against: bound) { result in
                    _ = self.value(of: result)
                    answered()
                }
            }
        }
        all(steps) { self.handOver() }
    }

    private func handOver() {
        guard let stream = stream.take() else { return fail(Failure(.internal, "no stream")) }
        service.handOver(runner, stream) { failure in
            if let failure { return self.fail(failure) }
            if self.isAbandoned { return self.fail(self.abandoned) }
            if self.state == .running { return self.finish(.success(())) }
            self.service.runtime.start(self.id) { result in
                if case .failure(let error) = result { return self.fail(self.failure(error)) }
                if self.isAbandoned { return self.fail(self.abandoned) }
                self.finish(.success(()))
            }
        }
    }

    // MARK: - Waiting for several, and ending

    /// Goes on with `next` when all steps have answered and none has failed.
    private func all(_ steps: [(@escaping () -> Void) -> Void], _ next: @escaping () -> Void) {
        awaited = steps.count
        for step in steps {
            step {
                self.awaited -= 1
                guard self.awaited == 0 else { return }
                if let failure = self.failure { return self.fail(failure) }
                if self.isAbandoned { return self.fail(self.abandoned) }
                next()
            }
        }
    }

    private var abandoned: Failure { Failure(.runnerGone, "removed while it was being made") }

    private func value<Value>(of result: Result<Value, RuntimeError>) -> Value? {
        switch result {
        case .success(let value): return value
        case .failure(let error):
            // What differs from the plan is more important than what failed beside it.
            if case .mismatch = error { failure = failure(error) } else { failure = failure ?? failure(error) }
            return nil
        }
    }

    private func failure(_ error: RuntimeError) -> Failure {
        if case .unavailable = error { service.knowledge.forget() }
        return Failure(error)
    }

    private func fail(_ failure: Failure) {
        stream = nil
        guard mayExist else {
            leftNothing = !existed
            return finish(.failure(failure))
        }
        service.exits.forget(runner)
        service.removeOurs(runner) { result in
            switch result {
            case .success: self.leftNothing = true
            case .failure(let error):
                let fields: KeyValuePairs = ["name": self.plan.name, "error": "\(error)"]
                self.service.log.warning("a failed start left a container", fields)
            }
            self.finish(.failure(failure))
        }
    }

    private func finish(_ result: Result<Void, Failure>) {
        if case .success = result { service.exits.started(runner) }
        done(result)
        for body in afterwards { body() }
        afterwards = []
    }
}
