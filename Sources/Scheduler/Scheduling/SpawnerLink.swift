// What schedulerd wants of spawnerd, one method for each message of spawner.wire. SpawnerClient speaks it over the
// edge; tests answer it from a script.

package import Wire

/// A connection to spawnerd that comes back by itself. Completions run on the loop's thread, exactly once, and never
/// before the method returns.
package protocol SpawnerLink: AnyObject {
    var isReady: Bool { get }
    /// Why it is not ready, if that is known.
    var lastFailure: Failure? { get }
    /// It is ready, requests wait, and since this moment of the loop's clock nothing has come.
    var silentSince: UInt64? { get }
    /// Up, or up again: what was known may be old.
    var onUp: (() -> Void)? { get set }
    var onDown: ((Failure) -> Void)? { get set }

    func start()
    /// The link goes down, and stays so until `start`.
    func stop()
    func createRunner(_ request: SpawnerEdge.CreateRunner, _ done: @escaping (Failure?) -> Void)
    func attachRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void)
    func removeRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void)
    func listRunners(_ done: @escaping (Result<[SpawnerEdge.RunnerContainer], Failure>) -> Void)
    func describeHost(_ done: @escaping (Result<SpawnerEdge.DescribeHost.Reply, Failure>) -> Void)
    /// What the leased devices do.
    func readDevices(deadline: Duration, _ done: @escaping (Result<[SpawnerEdge.DeviceUse], Failure>) -> Void)
    /// `onEnd` runs when the stream is over, with the connection or before it.
    func watchExits(
        onItem: @escaping (SpawnerEdge.RunnerExit) -> Void, onEnd: @escaping (Failure?) -> Void)
}

extension SpawnerLink {
    package var silentSince: UInt64? { nil }
}
