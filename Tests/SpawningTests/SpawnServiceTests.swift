import Link
import Posix
import Runtime
import SpawnPolicy
import Testing
import Wire

@Suite final class SpawnServiceTests {
    private let loop: PollLoop
    private let runtime: FakeRuntime
    private let house: House
    private let runner = Bytes16.random()

    init() throws {
        loop = try PollLoop()
        runtime = FakeRuntime(loop)
        house = try House(loop, runtime, site(profiles: [.strict]))
    }

    deinit { house.close() }

    private var name: String { "bulkhead-test-\(runner.hex)" }

    private func position(_ call: String) throws -> Int {
        try #require(runtime.calls.firstIndex { $0.hasPrefix(call) })
    }

    @Test func aColdStartInItsOrder() throws {
        _ = try house.create(runner).get()
        #expect(runtime.calls.first == "list test")
        for before in ["image", "host"] { #expect(try position(before) < position("create")) }
        for step in ["verify", "attach", "wait next-exit"] {
            #expect(try position("create") < position(step))
            #expect(try position(step) < position("start"))
        }
        #expect(house.taken.count == 1)
        let taken = try #require(house.taken.first)
        #expect(taken.runner == runner && taken.framing == .dockerMultiplexed && taken.pending == [7] && taken.fds == 1)
        // What relayd holds is the stream: a byte from the container arrives there.
        #expect(try Posix.write(runtime.peers[0], [42]) == .bytes(1))
        var room = [UInt8](repeating: 0, count: 8)
        #expect(try Posix.read(house.streams[0].descriptor.raw, into: &room) == .bytes(1))
    }

    /// The second start of the same image asks neither for the image nor for the host.
    @Test func whatIsKnownIsNotAskedAgain() throws {
        _ = try house.create(runner).get()
        _ = try house.create(.random()).get()
        #expect(runtime.calls(of: "image").count == 1 && runtime.calls(of: "host").count == 1)
        #expect(runtime.calls(of: "list").count == 1)
    }

    @Test func aMismatchIsRemovedAndNeverStarted() throws {
        runtime.verdict = .mismatch(field: "HostConfig.Privileged")
        let result = try house.create(runner)
        #expect(code(result) == .engineMismatch)
        if case .failure(let failure) = result { #expect(failure.place == "HostConfig.Privileged") }
        #expect(runtime.calls(of: "start").isEmpty && runtime.calls(of: "remove").count == 1)
        #expect(house.taken.isEmpty)
    }

    /// relayd is not there, or refuses: nothing runs without a reader.
    @Test func withoutRelaydNothingStarts() throws {
        house.refusal = .init(.storageFull, "full")
        #expect(code(try house.create(runner)) == .storageFull)
        #expect(runtime.calls(of: "start").isEmpty && runtime.calls(of: "remove").count == 1)
    }

    @Test func aFailedStartLeavesNothingAndIsNoExit() throws {
        let log = try house.watch()
        runtime.startError = .refused(status: 500, "OCI runtime")
        #expect(code(try house.create(runner)) == .engineRefused)
        #expect(runtime.containers.isEmpty)
        runtime.startError = nil
        let other = Bytes16.random()
        _ = try house.create(other).get()
        runtime.end("bulkhead-test-\(other.hex)", code: 3)
        try loop.run { !log.exits.isEmpty }
        #expect(log.exits.map(\.runner) == [other])
    }

    /// Found by chaos: containerd was killed, and jobs that met the engine without it were given up.
    @Test func anEngineWithoutItsContainerdIsAway() throws {
        for (text, expected) in [
            ("connection error: connect: connection refused\": unavailable", ErrorCode.engineUnavailable),
            ("error reading from server: EOF: unavailable", .engineUnavailable),
            ("exec: \"x: unavailable\": no such file: unknown", .engineRefused),
        ] {
            runtime.startError = .refused(status: 500, text)
            #expect(code(try house.create(Bytes16.random())) == expected, "\(text)")
        }
    }

    @Test func denialsNeverReachTheEngine() throws {
        #expect(code(try house.create(runner, profile: .build)) == .deniedByPolicy)
        #expect(code(try house.create(runner, image: "../x")) == .deniedByPolicy)
        #expect(code(try house.create(runner, memory: 1 << 40)) == .deniedByPolicy)
        #expect(runtime.calls == ["list test"])
    }

    @Test func imagesAndHostsAreChecked() throws {
        runtime.imageFacts = .failure(.imageMissing("x"))
        #expect(code(try house.create(runner)) == .imageMissing)
        runtime.imageFacts = .success(anImage(volumes: ["/proc"]))
        #expect(code(try house.create(runner)) == .imageRefused)
        #expect(runtime.calls(of: "create").isEmpty)
    }

    @Test func whatIsLargerThanTheMachineIsDenied() throws {
        runtime.hostFacts = .success(
            HostFacts(
                engine: "fake", version: "1", userNamespaces: true, cpus: 2, memoryBytes: 1 << 20,
                platforms: [hostPlatform]))
        #expect(code(try house.create(runner)) == .deniedByPolicy)
        #expect(runtime.calls(of: "create").isEmpty)
    }

    @Test func anEngineWithoutUserNamespacesIsRefused() throws {
        runtime.hostFacts = .success(
            HostFacts(
                engine: "fake", version: "1", userNamespaces: false, cpus: 2, memoryBytes: 1 << 30,
                platforms: [hostPlatform])
        )
        #expect(code(try house.create(runner)) == .usernsMissing)
        #expect(runtime.calls(of: "create").isEmpty)
        var loose = site()
        loose.allowNoUserNamespaces = true
        let other = try House(loop, runtime, loose)
        _ = try other.create(runner).get()
        other.close()
    }

    @Test func aLowerEpochIsRefused() throws {
        _ = try house.create(runner, epoch: 9).get()
        #expect(code(try house.create(.random(), epoch: 8)) == .conflict)
        _ = try house.create(.random(), epoch: 9).get()
    }

    /// After a restart the fence stands in the labels.
    @Test func epochsSurviveInLabels() throws {
        let runtime = FakeRuntime(loop)
        let old = Bytes16.random()
        runtime.listed = [
            ListedContainer(
                name: "bulkhead-test-\(old.hex)", state: .created, runner: old.hex, grant: old.hex, epoch: 12)
        ]
        let house = try House(loop, runtime, site())
        #expect(code(try house.create(runner, epoch: 11)) == .conflict)
        _ = try house.create(runner, epoch: 12).get()
        house.close()
    }

    @Test func anExistingRunnerIsAdopted() throws {
        runtime.creation = .success(.existed)
        runtime.set(name, .running)
        _ = try house.create(runner).get()
        #expect(runtime.calls(of: "start").isEmpty && runtime.calls(of: "wait not-running").count == 1)
        #expect(house.taken.count == 1)
        let other = Bytes16.random()
        runtime.set("bulkhead-test-\(other.hex)", .created)
        _ = try house.create(other).get()
        #expect(runtime.calls(of: "start").count == 1 && runtime.calls(of: "wait next-exit").count == 1)
        runtime.end(name, code: 0)
        #expect(code(try house.create(runner)) == .runnerGone)
    }

    /// Ours by its labels, and yet not what was planned: an accident, or somebody's work. It does not stay.
    @Test func aContainerOfOursThatDiffersIsNotAdopted() throws {
        runtime.creation = .success(.existed)
        runtime.set(name, .running)
        runtime.verdict = .mismatch(field: "HostConfig.CapAdd")
        #expect(code(try house.create(runner)) == .engineMismatch)
        #expect(house.taken.isEmpty && runtime.calls(of: "remove").count == 1)
    }

    @Test func removingDuringTheStartLeavesNothing() throws {
        var removed: Bool?
        runtime.onCall["attach"] = { [unowned self] in
            house.scheduler.call(SpawnerEdge.RemoveRunner(runner: runner)) { result, _ in
                removed = (try? result.get()) != nil
            }
            // The request has to arrive while the start is under way.
            runtime.onCall["attach"] = nil
        }
        var created: Result<SpawnerEdge.CreateRunner.Reply, Failure>?
        house.scheduler.call(House.request(runner)) { result, _ in created = result }
        try loop.run { removed != nil && created != nil }
        #expect(removed == true)
        #expect(runtime.containers.isEmpty)
        #expect(try house.call(SpawnerEdge.ListRunners()).get().runners.isEmpty)
    }

    @Test func twoCreatesOfOneRunnerMakeOne() throws {
        var answers: [Result<SpawnerEdge.CreateRunner.Reply, Failure>] = []
        house.scheduler.call(House.request(runner)) { result, _ in answers.append(result) }
        house.scheduler.call(House.request(runner)) { result, _ in answers.append(result) }
        try loop.run { answers.count == 2 }
        #expect(runtime.calls(of: "create").count == 1)
        #expect(Set(answers.map(code)) == [nil, .notReady])
    }

    @Test func exitsAreToldWithTheirCause() throws {
        let log = try house.watch()
        _ = try house.create(runner).get()
        runtime.end(name, code: 137, outOfMemory: true)
        try loop.run { log.exits.count == 1 }
        #expect(log.exits[0].exitCode == 137 && log.exits[0].outOfMemory && log.exits[0].runner == runner)
        // A watcher that comes late is told as well, until the runner is removed.
        let late = try house.watch()
        try loop.run { late.exits.count == 1 }
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        let later = try house.watch()
        _ = try house.call(SpawnerEdge.DescribeHost()).get()
        #expect(later.exits.isEmpty && late.end == nil)
    }

    @Test func aKillFromOutsideIsNamed() throws {
        let log = try house.watch()
        _ = try house.create(runner).get()
        runtime.end(name, code: 137)
        try loop.run { log.exits.count == 1 }
        #expect(log.exits[0].detail.contains("outside"))
        for code in [143, 255] as [UInt16] {
            let next = Bytes16.random()
            _ = try house.create(next).get()
            runtime.end("bulkhead-test-\(next.hex)", code: code)
            try loop.run { log.exits.last?.exitCode == code }
            #expect(log.exits.last?.detail.contains("outside") == true, "\(code)")
        }
        let other = Bytes16.random()
        _ = try house.create(other).get()
        runtime.removeError = .unavailable("in time")
        #expect(code(try house.call(SpawnerEdge.RemoveRunner(runner: other))) == .engineUnavailable)
        runtime.end("bulkhead-test-\(other.hex)", code: 137)
        try loop.run { log.exits.count == 4 }
        #expect(log.exits[3].detail.isEmpty, "it was we who asked for it")
    }

    /// What an earlier spawnerd left is taken up: who runs is waited for, who has ended is reported.
    @Test func theLeftBehindAreTakenUp() throws {
        let runtime = FakeRuntime(loop)
        let (running, ended, foreign) = (Bytes16.random(), Bytes16.random(), Bytes16.random())
        func left(_ runner: Bytes16, _ state: ContainerState, _ name: String? = nil) -> ListedContainer {
            ListedContainer(
                name: name ?? "bulkhead-test-\(runner.hex)", state: state, runner: runner.hex, grant: runner.hex,
                epoch: 1)
        }
        runtime.listed = [left(running, .running), left(ended, .exited), left(foreign, .exited, "squatter")]
        runtime.set("bulkhead-test-\(running.hex)", .running)
        runtime.end("bulkhead-test-\(ended.hex)", code: 5)
        runtime.end("squatter", code: 6)
        let house = try House(loop, runtime, site())
        let log = try house.watch()
        try loop.run { log.exits.count == 1 }
        #expect(log.exits[0].runner == ended && log.exits[0].exitCode == 5)
        runtime.end("bulkhead-test-\(running.hex)", code: 1)
        try loop.run { log.exits.count == 2 }
        #expect(log.exits[1].runner == running)
        house.close()
    }

    /// The engine goes away and comes back; one container survived it, one is gone without a trace.
    @Test func anEngineThatComesBackIsAskedAgain() throws {
        let log = try house.watch()
        let other = Bytes16.random()
        _ = try house.create(runner).get()
        _ = try house.create(other).get()
        runtime.listed = [
            ListedContainer(name: name, state: .running, runner: runner.hex, grant: runner.hex, epoch: 7)
        ]
        runtime.containers["bulkhead-test-\(other.hex)"] = nil
        runtime.breakWaits()
        try loop.run { log.exits.count == 1 }
        #expect(log.exits[0].runner == other && log.exits[0].detail == "the container is gone")
        runtime.end(name, code: 0)
        try loop.run { log.exits.count == 2 }
        #expect(log.exits[1].exitCode == 0)
    }

    @Test func attachingAnew() throws {
        #expect(code(try house.call(SpawnerEdge.AttachRunner(runner: runner))) == .runnerGone)
        _ = try house.create(runner).get()
        _ = try house.call(SpawnerEdge.AttachRunner(runner: runner)).get()
        #expect(house.taken.count == 2)
        runtime.attachError = .unavailable("in time")
        #expect(code(try house.call(SpawnerEdge.AttachRunner(runner: runner))) == .engineUnavailable)
        runtime.end(name, code: 0)
        #expect(code(try house.call(SpawnerEdge.AttachRunner(runner: runner))) == .runnerGone)
    }

    @Test func anEngineThatIsAwayIsSaidSo() throws {
        let runtime = FakeRuntime(loop)
        runtime.listError = .unavailable("no socket")
        let house = try House(loop, runtime, site())
        #expect(code(try house.create(runner)) == .engineUnavailable)
        runtime.listError = nil
        _ = try house.create(runner).get()
        house.close()
    }

    @Test func theHostIsDescribed() throws {
        let host = try house.call(SpawnerEdge.DescribeHost()).get()
        #expect(host.userNamespaces && host.cpus == 2 && host.engine == "fake" && host.platforms.count == 1)
        // Who asks wants to know whether it is there now.
        runtime.hostFacts = .failure(.unavailable("connect: no such file"))
        #expect(code(try house.call(SpawnerEdge.DescribeHost())) == .engineUnavailable)
    }
}
