import DockerRuntime
import Foundation
import Posix
import Runtime
import SpawnPolicy
import Testing

/// F8: whatever an engine sends, a call answers once with a typed error, and no connection is left open.
@Suite struct EngineFaultTests {
    private let loop: PollLoop
    private let engine: FakeEngine
    private let docker: DockerRuntime
    private static let info =
        #"{"SecurityOptions":["name=seccomp,profile=default","#
        + #""name=userns"],"ServerVersion":"1","NCPU":2,"MemTotal":5,"Architecture":"x86_64"}"#

    init() throws {
        loop = try PollLoop()
        engine = try FakeEngine(loop)
        docker = DockerRuntime(loop: loop, path: engine.path)
    }

    private func host(_ script: FakeEngine.Script) throws -> Result<HostFacts, RuntimeError> {
        engine.script = { _ in script }
        var answers: [Result<HostFacts, RuntimeError>] = []
        docker.host { answers.append($0) }
        try loop.run { !answers.isEmpty }
        try loop.run { engine.openConnections == 0 }
        #expect(answers.count == 1)
        return try #require(answers.first)
    }

    private static func isUnavailable(_ result: Result<some Any, RuntimeError>) -> Bool {
        if case .failure(.unavailable) = result { true } else { false }
    }

    @Test func aGoodAnswerInEveryShape() throws {
        let body = Self.info
        let shapes: [FakeEngine.Script] = [
            .send(FakeEngine.response("200 OK", body)), .send(FakeEngine.chunked("200 OK", body)),
            .drip(FakeEngine.chunked("200 OK", body)), .drip(FakeEngine.response("200 OK", body)),
            .send(Array("HTTP/1.1 200 OK\r\n\r\n\(body)".utf8)),
            .send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8) + FakeEngine.response("200 OK", body)),
        ]
        for shape in shapes {
            let facts = try host(shape).get()
            #expect(facts.userNamespaces && facts.cpus == 2 && facts.platforms == [.amd64])
        }
        #expect(engine.requests.allSatisfy { $0.method == "GET" && $0.target == "/info" })
    }

    @Test(arguments: [false, true])
    func aBreakAtEveryByteIsUnavailable(_ chunked: Bool) throws {
        let whole = chunked ? FakeEngine.chunked("200 OK", Self.info) : FakeEngine.response("200 OK", Self.info)
        for length in 0..<whole.count {
            let result = try host(.send(Array(whole[..<length])))
            #expect(Self.isUnavailable(result), "cut after \(length): \(result)")
        }
        #expect(try host(.send(whole)).get().cpus == 2)
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99999 X\r\n\r\n", "HTTP/1.1 -12 X\r\n\r\n",
        "\u{0}\u{0}\u{0}\u{0}",
        "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx\r\n",
        "HTTP/1.1 200 OK\r\n folded\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}",
        "HTTP/1.1 101 UPGRADED\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]",
    ])
    func nonsenseIsGarbled(_ answer: String) throws {
        guard case .failure(.garbled) = try host(.send(Array(answer.utf8))) else {
            Issue.record("\(answer.debugDescription) was taken")
            return
        }
    }

    @Test func nothingGrowsWithoutBound() throws {
        let endlessHead = Array(("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 10_000)).utf8)
        let endlessLine = Array(("HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 100_000)).utf8)
        let endlessBody = Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 2 << 20)
        for bytes in [endlessHead, endlessLine, endlessBody] {
            guard case .failure(.garbled) = try host(.send(bytes)) else {
                Issue.record("\(bytes.count) bytes were taken")
                continue
            }
        }
    }

    @Test func statusesAreTyped() throws {
        let container = "bulkhead-test-\(runnerHex)"
        let plan = try boundPlan()
        engine.script = { _ in .send(FakeEngine.response("404 Not Found", #"{"message":"no\nsuch"}"#)) }
        #expect(try loop.answer { docker.image("a/b", $0) } == .failure(.imageMissing("a/b")))
        #expect(try loop.answer { docker.create(plan, $0) } == .failure(.imageMissing("bulkhead/busybox")))
        #expect(try loop.answer { docker.status(container, $0) } == .failure(.noSuchContainer))
        #expect(try loop.answer { docker.verify("c0ffee", against: plan, $0) } == .failure(.noSuchContainer))
        let started: Result<Void, RuntimeError> = try loop.answer { docker.start(container, $0) }
        #expect(throws: RuntimeError.noSuchContainer) { try started.get() }
        let removed: Result<Void, RuntimeError> = try loop.answer { docker.remove(container, $0) }
        try removed.get()

        engine.script = { _ in .send(FakeEngine.response("409 Conflict", #"{"message":"x"}"#)) }
        #expect(try loop.answer { docker.create(plan, $0) } == .success(.existed))
        // Somebody is removing it: it is not gone yet.
        let removing: Result<Void, RuntimeError> = try loop.answer { docker.remove(container, $0) }
        #expect(throws: RuntimeError.refused(status: 409, "x")) { try removing.get() }

        engine.script = { _ in .send(Array("HTTP/1.1 304 Not Modified\r\n\r\n".utf8)) }
        let again: Result<Void, RuntimeError> = try loop.answer { docker.start(container, $0) }
        try again.get()

        engine.script = { _ in .send(FakeEngine.response("500 X", #"{"message":"two\nlines"}"#)) }
        #expect(try loop.answer { docker.create(plan, $0) } == .failure(.refused(status: 500, "two lines")))
        engine.script = { _ in .send(FakeEngine.response("500 X", "<html>", type: "text/html")) }
        #expect(try loop.answer { docker.create(plan, $0) } == .failure(.refused(status: 500, "no reason given")))
    }

    /// What was made without a name to call it by cannot be acted on.
    @Test(arguments: ["{}", #"{"Id":""}"#, #"{"Id":"a/b"}"#, #"{"Id":7}"#])
    func aContainerHasAnID(_ answer: String) throws {
        engine.script = { _ in .send(FakeEngine.response("201 Created", answer)) }
        let garbled = RuntimeError.garbled("an answer that is not the expected JSON")
        let plan = try boundPlan()
        #expect(try loop.answer { docker.create(plan, $0) } == .failure(garbled))
        let status = #","State":{"Status":"running"}}"#
        let inspection = answer == "{}" ? #"{"State":{"Status":"running"}}"# : answer.dropLast() + status
        engine.script = { _ in .send(FakeEngine.response("200 OK", String(inspection))) }
        #expect(try loop.answer { docker.status("c0ffee", $0) } == .failure(garbled))
        engine.script = { _ in .send(FakeEngine.response("200 OK", #"{"Id":"c0ffee""# + status)) }
        let good: Result<ContainerStatus, RuntimeError> = try loop.answer { docker.status("c0ffee", $0) }
        #expect(try good.get().id == "c0ffee")
    }

    @Test func noEngineIsUnavailable() throws {
        let nobody = DockerRuntime(loop: loop, path: "/nonexistent/engine")
        #expect(Self.isUnavailable(try loop.answer { nobody.host($0) }))
    }

    /// A name that could climb out of its place in the URL never reaches the socket.
    @Test func oddNamesAreNotSent() throws {
        guard case .failure(.refused) = try loop.answer({ docker.status("a b\r\nX: y", $0) }) else {
            Issue.record("it was sent")
            return
        }
        #expect(engine.requests.isEmpty)
    }

    @Test func waitTellsWhenItIsRegisteredAndWhenItEnds() throws {
        var registered = 0
        var ended: [Result<UInt16, RuntimeError>] = []
        engine.script = { _ in .keep(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)) }
        docker.wait("c", .nextExit) {
            registered += 1
        } ended: {
            ended.append($0)
        }
        try loop.run { registered == 1 }
        #expect(ended.isEmpty)
        engine.script = { _ in .drip(FakeEngine.chunked("200 OK", #"{"Error":null,"StatusCode":137}"#)) }
        docker.wait("c", .notRunning) {
            registered += 1
        } ended: {
            ended.append($0)
        }
        try loop.run { !ended.isEmpty }
        #expect(ended == [.success(137)] && registered == 2)
        let conditions = engine.requests.map {
            $0.target.replacingOccurrences(of: "/containers/c/wait?condition=", with: "")
        }
        #expect(conditions == ["next-exit", "not-running"])
    }

    @Test func attachHandsTheConnectionOver() throws {
        let head =
            "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
            + "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        for pending in ["", "early"] {
            engine.script = { _ in .keep(Array((head + pending).utf8)) }
            var raw: Int32 = -1
            var got: [UInt8] = []
            docker.attach("c") { result in
                guard case .success(let stream) = consume result else { return }
                got = stream.pending
                #expect(stream.framing == .multiplexed)
                raw = stream.take().release()
            }
            try loop.run { raw >= 0 }
            let descriptor = FileDescriptor(owning: raw)
            #expect(got == Array(pending.utf8))
            #expect(!loop.isWatched(raw))
            #expect(engine.requests.last?.head.contains("Upgrade: tcp") == true)
            // It is open still, in both directions.
            #expect(try Posix.write(descriptor.raw, [1, 2]) == .bytes(2))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "",
        "HTTP/1.1 101 UPGR",
    ])
    func attachThatFailsIsAFailure(_ answer: String) throws {
        engine.script = { _ in .send(Array(answer.utf8)) }
        var error: RuntimeError?
        docker.attach("c") { result in
            if case .failure(let failure) = consume result { error = failure }
        }
        try loop.run { error != nil }
    }
}
