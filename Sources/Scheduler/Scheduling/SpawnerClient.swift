// The spawner edge, from schedulerd's side.

import Link
package import Posix
package import Wire

/// SpawnerLink over the socket of spawnerd.
package final class SpawnerClient: SpawnerLink {
    /// Creating, attaching and removing wait for the engine, which a loaded machine makes slow.
    private static let engineDeadline = Duration.seconds(90)
    private let link: WatchedLink<SpawnerEdge>

    package init(loop: PollLoop, path: String) {
        link = WatchedLink(loop: loop, path: path, role: .schedulerd)
    }

    package var isReady: Bool { link.client.isReady }
    package var lastFailure: Failure? { link.client.lastFailure }
    package var silentSince: UInt64? { link.silentSince }
    package var onUp: (() -> Void)? {
        get { link.client.onUp }
        set { link.client.onUp = newValue }
    }
    package var onDown: ((Failure) -> Void)? {
        get { link.client.onDown }
        set { link.client.onDown = newValue }
    }

    package func start() { link.client.start() }

    package func stop() { link.client.stop() }

    package func createRunner(_ request: SpawnerEdge.CreateRunner, _ done: @escaping (Failure?) -> Void) {
        link.call(request, deadline: Self.engineDeadline) { result, _ in done(result.failure) }
    }

    package func attachRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        let request = SpawnerEdge.AttachRunner(runner: runner)
        link.call(request, deadline: Self.engineDeadline) { result, _ in done(result.failure) }
    }

    package func removeRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        let request = SpawnerEdge.RemoveRunner(runner: runner)
        link.call(request, deadline: Self.engineDeadline) { result, _ in done(result.failure) }
    }

    package func listRunners(_ done: @escaping (Result<[SpawnerEdge.RunnerContainer], Failure>) -> Void) {
        link.call(SpawnerEdge.ListRunners()) { result, _ in done(result.map(\.runners)) }
    }

    package func describeHost(_ done: @escaping (Result<SpawnerEdge.DescribeHost.Reply, Failure>) -> Void) {
        link.call(SpawnerEdge.DescribeHost()) { result, _ in done(result) }
    }

    package func readDevices(
        deadline: Duration, _ done: @escaping (Result<[SpawnerEdge.DeviceUse], Failure>) -> Void
    ) {
        link.call(SpawnerEdge.ReadDevices(), deadline: deadline) { result, _ in done(result.map(\.devices)) }
    }

    package func watchExits(
        onItem: @escaping (SpawnerEdge.RunnerExit) -> Void, onEnd: @escaping (Failure?) -> Void
    ) {
        link.client.open(SpawnerEdge.WatchExits(), onItem: { onItem($0.exit) }, onEnd: onEnd)
    }
}

extension Result where Failure == Wire.Failure {
    /// nil if it succeeded.
    var failure: Wire.Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
