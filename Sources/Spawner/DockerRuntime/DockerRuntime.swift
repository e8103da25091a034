// The driver for Docker's Engine API over its Unix socket (Podman's service speaks the same). spawnerd makes one; it
// is the only thing in the house that knows where the engine is. Every call is its own connection, see EngineCall.

package import Posix
package import Runtime
package import SpawnPolicy

package final class DockerRuntime: ContainerRuntime {
    private let loop: PollLoop
    private let path: String

    /// `path`: the engine's socket. Nothing is opened before the first call.
    package init(loop: PollLoop, path: String) {
        self.loop = loop
        self.path = path
    }

    package func host(_ answer: @escaping Answer<HostFacts>) {
        get(.info, as: EngineAnswers.Info.self, { _ in nil }) { answer($0.map(\.facts)) }
    }

    package func image(_ name: String, _ answer: @escaping Answer<ImageFacts>) {
        let missing: (Int) -> RuntimeError? = { $0 == 404 ? .imageMissing(name) : nil }
        get(.image(name), as: EngineAnswers.Image.self, missing) { answer($0.map(\.facts)) }
    }

    package func create(_ plan: BoundPlan, _ answer: @escaping Answer<Creation>) {
        let body = ContainerSpec(plan).body.encoded
        guard body.count <= ContainerSpec.bodyLimit else {
            return loop.soon { answer(.failure(.refused(status: 0, "the plan is too large to send"))) }
        }
        let image = plan.plan.image
        run(.create(name: plan.plan.name, body: body)) { response in
            switch response.status {
            case 201: Self.made(response.body)
            case 409: .success(.existed)
            case 404: .failure(.imageMissing(image))
            default: .failure(Self.refusal(response))
            }
        } answer: {
            answer($0)
        }
    }

    private static func made(_ body: [UInt8]) -> Result<Creation, RuntimeError> {
        do throws(RuntimeError) {
            return .success(.made(id: try EngineAnswers.decode(EngineAnswers.Created.self, body).Id.text))
        } catch {
            return .failure(error)
        }
    }

    package func verify(
        _ id: String, against plan: BoundPlan, _ answer: @escaping Answer<ContainerStatus>
    ) {
        run(.inspect(id)) { response in
            Self.read(response) { body throws(RuntimeError) in
                let inspection = try EngineAnswers.decode(EngineAnswers.Inspection.self, body)
                // An id that is gone could be another container's name.
                guard inspection.container.Id.text == id else { throw .noSuchContainer }
                if let field = ContainerSpec(plan).mismatch(in: inspection.compared) { throw .mismatch(field: field) }
                return inspection.container.status
            }
        } answer: {
            answer($0)
        }
    }

    package func status(_ name: String, _ answer: @escaping Answer<ContainerStatus>) {
        get(.inspect(name), as: EngineAnswers.Container.self, Self.gone) { answer($0.map(\.status)) }
    }

    package func list(instance: String, _ answer: @escaping Answer<[ListedContainer]>) {
        get(.list(instance: instance), as: [EngineAnswers.Listed].self, { _ in nil }) {
            answer($0.map { $0.map(\.container) })
        }
    }

    package func start(_ name: String, _ answer: @escaping Answer<Void>) {
        command(.start(name), succeeds: [204, 304], answer)
    }

    package func remove(_ name: String, _ answer: @escaping Answer<Void>) {
        // Not 409: somebody is removing it, and until that is done it may live.
        command(.remove(name), succeeds: [204, 404], answer)
    }

    package func attach(
        _ name: String, _ answer: @escaping (consuming Result<AttachedStream, RuntimeError>) -> Void
    ) {
        EngineCall.run(
            .attach(name), path: path, loop: loop, onUpgrade: { answer(.success($0)) },
            onEnd: { result in
                switch result {
                case .success(let response): answer(.failure(Self.gone(response.status) ?? Self.refusal(response)))
                case .failure(let error): answer(.failure(error))
                }
            })
    }

    package func wait(
        _ name: String, _ moment: WaitMoment, registered: @escaping () -> Void, ended: @escaping Answer<UInt16>
    ) {
        EngineCall.run(
            .wait(name, condition: moment.rawValue), path: path, loop: loop,
            onHead: { if $0 == 200 { registered() } },
            onEnd: { result in
                ended(
                    result.flatMap { response in
                        Self.read(response) { body throws(RuntimeError) in
                            let end = try EngineAnswers.decode(EngineAnswers.Wait.self, body)
                            if let problem = end.Error?.Message, !problem.isEmpty { throw .unavailable(problem) }
                            return UInt16(clamping: end.StatusCode)
                        }
                    })
            })
    }

    // MARK: - One way to ask

    private func run<Value>(
        _ request: EngineRequest, _ read: @escaping (EngineResponse) -> Result<Value, RuntimeError>,
        answer: @escaping Answer<Value>
    ) {
        EngineCall.run(request, path: path, loop: loop) { answer($0.flatMap(read)) }
    }

    private func get<Value: Decodable>(
        _ request: EngineRequest, as type: Value.Type, _ special: @escaping (Int) -> RuntimeError?,
        _ answer: @escaping Answer<Value>
    ) {
        run(request) { response in
            if let error = special(response.status) { return .failure(error) }
            return Self.read(response) { body throws(RuntimeError) in try EngineAnswers.decode(type, body) }
        } answer: {
            answer($0)
        }
    }

    private func command(_ request: EngineRequest, succeeds: Set<Int>, _ answer: @escaping Answer<Void>) {
        run(request) { response in
            if succeeds.contains(response.status) { return .success(()) }
            return .failure(Self.gone(response.status) ?? Self.refusal(response))
        } answer: {
            answer($0)
        }
    }

    private static func read<Value>(
        _ response: EngineResponse, _ body: ([UInt8]) throws(RuntimeError) -> Value
    ) -> Result<Value, RuntimeError> {
        guard response.status == 200 else { return .failure(gone(response.status) ?? refusal(response)) }
        do { return .success(try body(response.body)) } catch { return .failure(error) }
    }

    private static func gone(_ status: Int) -> RuntimeError? { status == 404 ? .noSuchContainer : nil }

    private static func refusal(_ response: EngineResponse) -> RuntimeError {
        .refused(status: response.status, EngineAnswers.message(response.body))
    }
}
