import Link
import Posix
import Runtime
import SpawnPolicy
import Testing
import Wire

/// Whose a container is, and whose a grant: what spawnerd does not touch, and what it does not share.
@Suite final class OwnershipTests {
    private let loop: PollLoop
    private let runtime: FakeRuntime
    private let house: House
    private let runner = Bytes16.random()
    private let other = Bytes16.random()
    private let grant = Bytes16.random()

    init() throws {
        loop = try PollLoop()
        runtime = FakeRuntime(loop)
        house = try House(loop, runtime, site())
    }

    deinit { house.close() }

    private func name(_ runner: Bytes16) -> String { "bulkhead-test-\(runner.hex)" }

    private func place<Value>(_ result: Result<Value, Failure>) -> String? {
        if case .failure(let failure) = result { failure.place } else { nil }
    }

    // MARK: - Grants

    @Test("P4: a grant is in one container")
    func aGrantIsInOneContainer() throws {
        _ = try house.create(runner, grant: grant).get()
        let second = try house.create(other, grant: grant)
        #expect(code(second) == .conflict && place(second) == "grant")
        #expect(runtime.calls(of: "create").count == 1 && house.taken.count == 1)
        // The control: another grant does it. And the same pair again is a retry.
        _ = try house.create(other, grant: .random()).get()
        runtime.creation = .success(.existed)
        _ = try house.create(runner, grant: grant).get()
    }

    /// As long as the engine has not removed it, its container can read the grant; schedulerd asks again.
    @Test("P4: a grant is not free while its container is being removed")
    func aRemovalUnderWayFreesNothing() throws {
        _ = try house.create(runner, grant: grant).get()
        runtime.removeError = .refused(status: 409, "removal is already in progress")
        #expect(code(try house.call(SpawnerEdge.RemoveRunner(runner: runner))) == .engineRefused)
        #expect(code(try house.create(other, grant: grant)) == .conflict)
        runtime.removeError = nil
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        _ = try house.create(other, grant: grant).get()
    }

    /// An answer that makes no sense is not a no: the container may be there, and is looked for.
    @Test func aGarbledCreateRemovesWhatItMade() throws {
        runtime.creation = .failure(.garbled("no id"))
        runtime.set(name(runner), .created)
        #expect(code(try house.create(runner, grant: grant)) == .engineUnavailable)
        #expect(runtime.containers.isEmpty)
    }

    @Test("P4: a runner has one grant")
    func aRunnerHasOneGrant() throws {
        _ = try house.create(runner, grant: grant).get()
        let again = try house.create(runner, grant: .random())
        #expect(code(again) == .conflict && place(again) == "grant")
        #expect(runtime.containers[name(runner)]?.state == .running)
    }

    @Test("P4: of two creates at once with one grant, one is refused")
    func aRaceHasOneWinner() throws {
        var answers: [Result<SpawnerEdge.CreateRunner.Reply, Failure>] = []
        for runner in [runner, other] {
            house.scheduler.call(House.request(runner, grant: grant)) { result, _ in answers.append(result) }
        }
        try loop.run { answers.count == 2 }
        #expect(Set(answers.map(code)) == [nil, .conflict])
        #expect(runtime.calls(of: "create").count == 1)
    }

    @Test(
        "P4: after a restart the labels say whose a grant is", arguments: [ContainerState.created, .running, .exited])
    func labelsSurviveARestart(_ state: ContainerState) throws {
        let runtime = FakeRuntime(loop)
        runtime.set(name(other), state)
        runtime.listed = [
            ListedContainer(name: name(other), state: state, runner: other.hex, grant: grant.hex, epoch: 7)
        ]
        let house = try House(loop, runtime, site())
        #expect(code(try house.create(runner, grant: grant)) == .conflict)
        #expect(runtime.calls(of: "create").isEmpty)
        _ = try house.create(runner).get()
        house.close()
    }

    @Test func aGrantIsFreeAgainWhenItsContainerIsGone() throws {
        _ = try house.create(runner, grant: grant).get()
        runtime.end(name(runner), code: 0)
        #expect(code(try house.create(other, grant: grant)) == .conflict)
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        _ = try house.create(other, grant: grant).get()
    }

    @Test func aStartThatLeftNothingHoldsNoGrant() throws {
        runtime.startError = .refused(status: 500, "OCI runtime")
        #expect(code(try house.create(runner, grant: grant)) == .engineRefused)
        runtime.startError = nil
        runtime.imageFacts = .failure(.imageMissing("x"))
        #expect(code(try house.create(runner, image: "x", grant: grant)) == .imageMissing)
        runtime.imageFacts = .success(anImage())
        _ = try house.create(other, grant: grant).get()
    }

    /// Two schedulers at once: the older one has not noticed yet that its database is somebody else's now.
    @Test func aSchedulerOfAnEarlierEpochMakesNothing() throws {
        _ = try house.create(runner, epoch: 9).get()
        let late = try house.create(other, epoch: 8)
        #expect(code(late) == .conflict && place(late) == "epoch")
        #expect(runtime.calls(of: "create").count == 1)
        _ = try house.create(other, epoch: 9).get()
    }

    @Test func theEpochOfALivingContainerIsSeenAfterARestart() throws {
        let runtime = FakeRuntime(loop)
        runtime.set(name(other), .running)
        runtime.listed = [
            ListedContainer(name: name(other), state: .running, runner: other.hex, grant: other.hex, epoch: 9)
        ]
        let house = try House(loop, runtime, site())
        #expect(code(try house.create(runner, epoch: 8)) == .conflict)
        #expect(runtime.calls(of: "create").isEmpty)
        _ = try house.create(runner, epoch: 9).get()
        house.close()
    }

    @Test func aDeniedRequestClaimsNothing() throws {
        #expect(code(try house.create(runner, image: "../x", grant: grant)) == .deniedByPolicy)
        _ = try house.create(other, grant: grant).get()
    }

    // MARK: - Strangers

    /// Whoever can reach the engine takes the compared container away and puts another one in its place.
    @Test("R1: what was compared is what is started", arguments: [false, true])
    func anImpostorIsNotStarted(_ existed: Bool) throws {
        if existed {
            runtime.creation = .success(.existed)
            runtime.set(name(runner), .created)
        }
        house.onTake = { [unowned self] in runtime.set(name(runner), .created, id: "impostor") }
        #expect(code(try house.create(runner)) == .runnerGone)
        #expect(house.taken.count == 1)
        #expect(runtime.containers[name(runner)]?.state != .running)
        // The control: without one it is started.
        house.onTake = {}
        runtime.set(name(other), .created)
        _ = try house.create(other).get()
        #expect(runtime.containers[name(other)]?.state == .running)
    }

    enum Stranger: String, CaseIterable {
        case otherInstance, noLabel, otherRunner
    }

    private func place(_ stranger: Stranger) {
        switch stranger {
        case .otherInstance: runtime.set(name(runner), .running, instance: "another")
        case .noLabel: runtime.set(name(runner), .running, instance: "", runner: "")
        case .otherRunner: runtime.set(name(runner), .running, runner: other.hex)
        }
    }

    @Test("F23: a stranger's container of our name is left alone", arguments: Stranger.allCases)
    func strangersAreLeftAlone(_ stranger: Stranger) throws {
        place(stranger)
        runtime.creation = .success(.existed)
        #expect(code(try house.create(runner)) == .conflict)
        #expect(code(try house.call(SpawnerEdge.RemoveRunner(runner: runner))) == .conflict)
        #expect(code(try house.call(SpawnerEdge.AttachRunner(runner: runner))) == .conflict)
        for call in ["remove", "attach", "start", "wait", "verify"] {
            #expect(runtime.calls(of: call).isEmpty, "\(call)")
        }
        #expect(runtime.containers[name(runner)]?.state == .running && house.taken.isEmpty)
    }

    /// The control: what is ours is attached and removed by the same requests.
    @Test func ownContainersAreNot() throws {
        runtime.set(name(runner), .running)
        _ = try house.call(SpawnerEdge.AttachRunner(runner: runner)).get()
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        #expect(runtime.containers.isEmpty)
        // Nothing to attach is an error, nothing to remove is not.
        #expect(code(try house.call(SpawnerEdge.AttachRunner(runner: runner))) == .runnerGone)
        _ = try house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
    }

    /// The engine did not answer a create: what is there under the name now may be anybody's.
    @Test func anUnansweredCreateRemovesOnlyOurs() throws {
        place(.otherInstance)
        runtime.creation = .failure(.unavailable("in time"))
        #expect(code(try house.create(runner)) == .engineUnavailable)
        #expect(runtime.calls(of: "remove").isEmpty)
        runtime.set(name(runner), .created)
        #expect(code(try house.create(runner)) == .engineUnavailable)
        #expect(runtime.calls(of: "remove").count == 1)
    }
}
