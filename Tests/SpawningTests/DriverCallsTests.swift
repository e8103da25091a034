import DockerRuntime
import Posix
import Runtime
import SpawnPolicy
import Testing

/// R13: what the driver can say to an engine at all.
@Suite struct DriverCallsTests {
    /// Method and path, with NAME for a container or an image. Nothing runs a second process in a container (exec),
    /// copies files (archive), builds, pulls, commits, renames, updates, or speaks of networks, volumes or swarms.
    static let allowed: Set = [
        "GET /info", "GET /images/NAME/json", "POST /containers/create", "GET /containers/NAME/json",
        "POST /containers/NAME/attach", "POST /containers/NAME/wait", "POST /containers/NAME/start",
        "DELETE /containers/NAME", "GET /containers/json",
    ]

    @Test("R13: every call of the driver is one of nine, and there is no tenth")
    func theSetOfCallsIsClosed() throws {
        let loop = try PollLoop()
        let engine = try FakeEngine(loop) { _ in .send(FakeEngine.response("500 No", #"{"message":"no"}"#)) }
        let docker = DockerRuntime(loop: loop, path: engine.path)
        let plan = try boundPlan()
        let name = plan.plan.name
        // Each requirement of the driver's protocol: a new one has to appear here to be tested at all.
        var answers = 0
        docker.host { _ in answers += 1 }
        docker.image("NAME") { _ in answers += 1 }
        docker.create(plan) { _ in answers += 1 }
        docker.verify("NAME", against: plan) { _ in answers += 1 }
        docker.status("NAME") { _ in answers += 1 }
        docker.attach("NAME") { _ in answers += 1 }
        docker.wait("NAME", .nextExit, registered: {}, ended: { _ in answers += 1 })
        docker.start("NAME") { _ in answers += 1 }
        docker.remove("NAME") { _ in answers += 1 }
        docker.list(instance: "test") { _ in answers += 1 }
        try loop.run { answers == 10 }
        let said = engine.requests.map { "\($0.method) \($0.path.replacing(name, with: "NAME"))" }
        #expect(said.count == 10 && Set(said) == Self.allowed)
        // No version in front: a path means what it says here.
        #expect(said.allSatisfy { !$0.contains("/v1") })
    }

    @Test("R13: a name cannot lead to another path", arguments: ["", "a b", "a\r\nX: y", "ü", "/", "/../info"])
    func namesStayNames(_ name: String) throws {
        let loop = try PollLoop()
        let engine = try FakeEngine(loop) { _ in .send(FakeEngine.response("200 OK", "{}")) }
        let docker = DockerRuntime(loop: loop, path: engine.path)
        let result: Result<ContainerStatus, RuntimeError> = try loop.answer { docker.status(name, $0) }
        #expect(throws: RuntimeError.self) { try result.get() }
        #expect(engine.requests.isEmpty)
    }

    @Test("R13: without a name nothing is asked for")
    func noCallWithoutAName() throws {
        let loop = try PollLoop()
        let engine = try FakeEngine(loop) { _ in .send(FakeEngine.response("404 Not Found", "{}")) }
        let docker = DockerRuntime(loop: loop, path: engine.path)
        let plan = try boundPlan()
        var errors: [RuntimeError] = []
        func note<Value>(_ result: Result<Value, RuntimeError>) {
            if case .failure(let error) = result { errors.append(error) }
        }
        docker.image("") { note($0) }
        docker.verify("", against: plan) { note($0) }
        docker.status("") { note($0) }
        docker.wait("", .nextExit, registered: {}, ended: { note($0) })
        docker.start("") { note($0) }
        docker.remove("") { note($0) }
        docker.list(instance: "") { note($0) }
        docker.attach("") { result in
            if case .failure(let error) = consume result { errors.append(error) }
        }
        var removed = false
        docker.remove("") { _ in removed = true }
        try loop.run { removed }
        #expect(errors == Array(repeating: .refused(status: 0, "a name that cannot be sent"), count: 8))
        #expect(engine.requests.isEmpty)
    }
}
