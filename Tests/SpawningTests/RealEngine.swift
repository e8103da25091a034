// A real engine for the tests that need one: BULKHEAD_ENGINE names its socket (the integration script sets it). What a
// test makes carries a label of its own, and is gone when it ends.

import DockerRuntime
import Files
import Foundation
import Posix
import SpawnPolicy
import Wire

enum RealEngine {
    /// The socket's path, or nil if there is none.
    static let socket: String? = ProcessInfo.processInfo.environment["BULKHEAD_ENGINE"].flatMap { url in
        url.isEmpty ? nil : url.hasPrefix("unix://") ? String(url.dropFirst(7)) : url
    }

    /// Asks the engine past the driver: for what only a test does (hostile images, containers without walls).
    static func curl(_ method: String, _ target: String, _ body: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["curl", "--silent", "--max-time", "60", "--unix-socket", socket ?? "", "--request", method]
            + (body.map { ["--header", "Content-Type: application/json", "--data-binary", $0] } ?? [])
            + ["http://engine\(target)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    /// Makes `name` from bulkhead/busybox with lines of a Dockerfile, and a stop signal that stops nothing.
    static func makeImage(_ name: String, _ changes: [String]) throws {
        let created = try curl(
            "POST", "/containers/create", #"{"Image":"bulkhead/busybox","Cmd":["true"],"StopSignal":"SIGCONT"}"#)
        let container = try id(created)
        var query = "container=\(container)&repo=\(name)&tag=latest"
        for change in changes {
            query += "&changes=" + (change.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        }
        let committed = try curl("POST", "/commit?\(query)", "{}")
        _ = try curl("DELETE", "/containers/\(container)?force=true")
        _ = try id(committed)
    }

    private static func id(_ answer: String) throws -> String {
        struct Created: Decodable { let Id: String }
        return try JSONDecoder().decode(Created.self, from: Data(answer.utf8)).Id
    }
}

/// spawnerd's service on the real engine, with a shell script in the place of the runner.
final class RealHouse {
    let loop: PollLoop
    let house: House
    let instance: String
    private let directory: TemporaryDirectory
    /// The directory of grants: what brokerd prepares, these tests do.
    let grants: String

    init(script: String, profiles: Set<RunnerProfile> = [.strict, .build]) throws {
        loop = try PollLoop()
        directory = try TemporaryDirectory()
        let file = directory.path + "/runner"
        try Posix.replaceFile(file, with: Array("#!/bin/sh\n\(script)\n".utf8), mode: 0o755)
        grants = directory.path + "/grants"
        try Posix.mkdir(grants, mode: 0o700)
        instance = "t\(UInt64.random(in: 0 ... .max))"
        var policy = site(profiles: profiles, runner: file, grants: grants)
        policy.instance = instance
        house = try House(loop, DockerRuntime(loop: loop, path: RealEngine.socket ?? ""), policy)
    }

    /// Makes a runner's grant with its key, as brokerd does.
    @discardableResult
    func prepare(_ grant: Bytes16) throws -> String {
        let path = "\(grants)/\(grant.hex)"
        try Posix.mkdir(path, mode: 0o755)
        try Posix.replaceFile(path + "/key", with: Array("key".utf8), mode: 0o444)
        return path
    }

    func create(_ runner: Bytes16, image: String = "bulkhead/busybox", profile: Profile = .strict) throws
        -> Result<SpawnerEdge.CreateRunner.Reply, Failure>
    {
        try prepare(runner)
        return try house.create(runner, image: image, profile: profile)
    }

    func name(_ runner: Bytes16) -> String { SpawnPolicy.containerName(runner: runner.hex, instance: instance) }

    /// Reads the runner's stream to its end: standard output and error in order, without the engine's framing.
    func output(of stream: Int = 0) throws -> String {
        var bytes = house.taken[stream].pending
        let raw = house.streams[stream].descriptor.raw
        var ended = false
        try loop.watch(raw, .readable) { [loop] _ in
            var room = [UInt8](repeating: 0, count: 65536)
            while let outcome = try? Posix.read(raw, into: &room) {
                if case .bytes(let count) = outcome { bytes += room[..<count] }
                if outcome == .wouldBlock { return }
                if outcome == .endOfFile { break }
            }
            ended = true
            loop.unwatch(raw)
        }
        try loop.run { ended }
        return Self.demultiplexed(bytes)
    }

    /// One life: create, read everything, hear of the end, remove.
    func live(
        image: String = "bulkhead/busybox", profile: Profile = .strict, memory: UInt64 = 64 << 20,
        untrustedSteps: Bool = false, trust: Trust = .trusted
    ) throws -> (output: String, exit: SpawnerEdge.RunnerExit) {
        let runner = Bytes16.random()
        let log = try house.watch()
        defer { _ = try? house.call(SpawnerEdge.RemoveRunner(runner: runner)) }
        try prepare(runner)
        _ = try house.create(
            runner, image: image, profile: profile, memory: memory, untrustedSteps: untrustedSteps, trust: trust
        ).get()
        let output = try output(of: house.streams.count - 1)
        try loop.run { log.exits.contains { $0.runner == runner } }
        guard let exit = log.exits.first(where: { $0.runner == runner }) else { throw TimedOut() }
        return (output, exit)
    }

    func close() { house.close() }

    private static func demultiplexed(_ bytes: [UInt8]) -> String {
        var rest = bytes[...]
        var content: [UInt8] = []
        while rest.count >= 8 {
            let header = Array(rest.prefix(8))
            let length = header[4...].reduce(0) { $0 << 8 | Int($1) }
            content += rest.dropFirst(8).prefix(length)
            rest = rest.dropFirst(8 + length)
        }
        return String(decoding: content, as: UTF8.self)
    }
}
