// What schedulerd wants of relayd, one method for each message of relay.wire. RelayClient speaks it over the edge;
// tests answer it from a script.

package import Posix
package import Wire

/// A connection to relayd that comes back by itself. Completions run on the loop's thread, exactly once, and never
/// before the method returns.
package protocol RelayLink: AnyObject {
    var isReady: Bool { get }
    /// Why it is not ready, if that is known.
    var lastFailure: Failure? { get }
    /// It is ready, requests wait, and since this moment of the loop's clock nothing has come.
    var silentSince: UInt64? { get }
    /// Up, or up again: streams of runners may be gone.
    var onUp: (() -> Void)? { get set }
    var onDown: ((Failure) -> Void)? { get set }

    func start()
    /// The link goes down, and stays so until `start`.
    func stop()
    func runJob(_ request: RelayEdge.RunJob, _ done: @escaping (Failure?) -> Void)
    func cancelJob(_ attempt: Attempt, graceSeconds: UInt32, _ done: @escaping (Failure?) -> Void)
    func settleJob(_ attempt: Attempt, _ done: @escaping (Failure?) -> Void)
    func dropRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void)
    /// The bundle holds the log, open for reading, if it succeeded.
    func openLog(_ attempt: Attempt, _ done: @escaping (Result<Void, Failure>, consuming FDBundle) -> Void)
    /// How many files an attempt has left by the artifact rule of this number, and its runner's seal; the bundle holds
    /// their tar, open for reading. `.notFound` says why there is none.
    func openArtifact(
        _ attempt: Attempt, rule: UInt16,
        _ done: @escaping (Result<RelayEdge.OpenArtifact.Reply, Failure>, consuming FDBundle) -> Void)
    /// relayd's number for the upload; the bundle holds the pipe's write end.
    func openUpload(size: UInt64, _ done: @escaping (Result<UInt64, Failure>, consuming FDBundle) -> Void)
    func finishUpload(
        _ upload: UInt64, deadline: Duration, _ done: @escaping (Result<Source, Failure>) -> Void)
    /// A finished archive, copied into the store.
    func storeArchive(
        _ archive: consuming FileDescriptor, size: UInt64, _ done: @escaping (Result<Source, Failure>) -> Void)
    func removeLogs(_ job: UInt64, _ done: @escaping (Failure?) -> Void)
    func removeArtifacts(_ job: UInt64, _ done: @escaping (Failure?) -> Void)
    func removeSource(_ sha256: Bytes32, _ done: @escaping (Failure?) -> Void)
    func readCounters(
        deadline: Duration, _ done: @escaping (Result<RelayEdge.ReadCounters.Reply, Failure>) -> Void)
    /// `onEnd` runs when the stream is over, with the connection or before it.
    func watchEvents(onItem: @escaping (RelayEdge.RelayEvent) -> Void, onEnd: @escaping (Failure?) -> Void)
}

extension RelayLink {
    package var silentSince: UInt64? { nil }
}
