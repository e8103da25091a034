// The API under test with everything around it: a scripted schedulerd, a listening socket, a thread for the link.

import APIServer
import Daemon
import Endpoints
import Files
import Foundation
import Posix
import Synchronization

final class House: Sendable {
    let directory: String
    let port: UInt16
    let service: APIService
    private let linkThread: BackgroundThread
    private let current: Mutex<ScriptedScheduler?>

    init(_ limits: HTTPLimits = HTTPLimits(), script: ScriptedScheduler.Script? = ScriptedScheduler.Script())
        async throws
    {
        var random = SystemRandomNumberGenerator()
        directory = "/tmp/bulkhead-api-\(String(random.next(), radix: 36))"
        try Posix.mkdir(directory, mode: 0o700)
        let scheduler = try script.map { [directory] in try ScriptedScheduler(directory: directory, script: $0) }
        current = Mutex(scheduler)
        let listener = try Posix.listenTCP("127.0.0.1", port: 0)
        port = try Posix.boundPort(listener.raw)
        let service = try APIService(
            schedulerSocket: ScriptedScheduler.socket(directory), limits: limits,
            log: Log(process: "apid", level: .error))
        self.service = service
        service.start(listener)
        linkThread = BackgroundThread {
            do { try service.runLink() } catch { fatalError("the service: \(error)") }
        }
        // Its side of the hello has passed.
        await scheduler?.script.wait { $0.connections == 1 }
    }

    var scheduler: ScriptedScheduler {
        guard let scheduler = current.withLock({ $0 }) else { fatalError("schedulerd is stopped") }
        return scheduler
    }

    func stopScheduler() async {
        let scheduler = current.withLock { scheduler in
            defer { scheduler = nil }
            return scheduler
        }
        await scheduler?.stop()
    }

    func startScheduler(_ script: ScriptedScheduler.Script = ScriptedScheduler.Script()) async throws {
        let scheduler = try ScriptedScheduler(directory: directory, script: script)
        current.withLock { $0 = scheduler }
        await scheduler.script.wait { $0.connections == 1 }
    }

    func client() throws -> RawClient { try RawClient(port: port) }

    /// One request on a connection of its own.
    func ask(
        _ method: String, _ path: String, token: String? = "good", headers: [String] = [], body: String? = nil
    ) async throws -> Answer {
        try await send(method, path, token: token, headers: headers, body: body.map { Array($0.utf8) })
    }

    /// The same with a body that is not text.
    func send(
        _ method: String, _ path: String, token: String? = "good", headers: [String] = [], body: [UInt8]? = nil
    ) async throws -> Answer {
        let client = try client()
        defer { client.close() }
        try await client.request(method, path, token: token, headers: headers, body: body)
        return try await client.answer(bodiless: method == "HEAD")
    }

    func stop() async throws {
        service.stop()
        await linkThread.end()
        await stopScheduler()
        try FileManager.default.removeItem(atPath: directory)
    }
}

/// Runs `body` in a house of its own and takes it down again.
func withHouse(
    _ limits: HTTPLimits = HTTPLimits(), script: ScriptedScheduler.Script? = ScriptedScheduler.Script(),
    _ body: (House) async throws -> Void
) async throws {
    let house = try await House(limits, script: script)
    do {
        try await body(house)
    } catch {
        try await house.stop()
        throw error
    }
    try await house.stop()
}
