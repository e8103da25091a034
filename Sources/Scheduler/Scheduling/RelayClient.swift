// The relay edge, from schedulerd's side.

import Link
package import Posix
package import Wire

/// RelayLink over the socket of relayd.
package final class RelayClient: RelayLink {
    private let link: WatchedLink<RelayEdge>

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

    package func runJob(_ request: RelayEdge.RunJob, _ done: @escaping (Failure?) -> Void) {
        link.call(request) { result, _ in done(result.failure) }
    }

    package func cancelJob(_ attempt: Attempt, graceSeconds: UInt32, _ done: @escaping (Failure?) -> Void) {
        link.call(RelayEdge.CancelJob(attempt: attempt, graceSeconds: graceSeconds)) { result, _ in
            done(result.failure)
        }
    }

    package func settleJob(_ attempt: Attempt, _ done: @escaping (Failure?) -> Void) {
        link.call(RelayEdge.SettleJob(attempt: attempt)) { result, _ in done(result.failure) }
    }

    package func dropRunner(_ runner: Bytes16, _ done: @escaping (Failure?) -> Void) {
        link.call(RelayEdge.DropRunner(runner: runner)) { result, _ in done(result.failure) }
    }

    package func openLog(
        _ attempt: Attempt, _ done: @escaping (Result<Void, Failure>, consuming FDBundle) -> Void
    ) {
        link.call(RelayEdge.OpenLog(attempt: attempt)) { result, fds in done(result.map { _ in }, fds) }
    }

    package func openArtifact(
        _ attempt: Attempt, rule: UInt16,
        _ done: @escaping (Result<RelayEdge.OpenArtifact.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        link.call(RelayEdge.OpenArtifact(attempt: attempt, rule: rule)) { result, fds in done(result, fds) }
    }

    package func openUpload(
        size: UInt64, _ done: @escaping (Result<UInt64, Failure>, consuming FDBundle) -> Void
    ) {
        link.call(RelayEdge.OpenUpload(size: size)) { result, fds in done(result.map(\.upload), fds) }
    }

    package func finishUpload(
        _ upload: UInt64, deadline: Duration, _ done: @escaping (Result<Source, Failure>) -> Void
    ) {
        link.call(RelayEdge.FinishUpload(upload: upload), deadline: deadline) { result, _ in
            done(result.map(\.source))
        }
    }

    package func storeArchive(
        _ archive: consuming FileDescriptor, size: UInt64, _ done: @escaping (Result<Source, Failure>) -> Void
    ) {
        link.call(RelayEdge.StoreArchive(size: size), fd: archive, deadline: .seconds(600)) { result, _ in
            done(result.map(\.source))
        }
    }

    package func removeLogs(_ job: UInt64, _ done: @escaping (Failure?) -> Void) {
        link.call(RelayEdge.RemoveLogs(job: job)) { result, _ in done(result.failure) }
    }

    package func removeArtifacts(_ job: UInt64, _ done: @escaping (Failure?) -> Void) {
        link.call(RelayEdge.RemoveArtifacts(job: job)) { result, _ in done(result.failure) }
    }

    package func removeSource(_ sha256: Bytes32, _ done: @escaping (Failure?) -> Void) {
        link.call(RelayEdge.RemoveSource(sha256: sha256)) { result, _ in done(result.failure) }
    }

    package func readCounters(
        deadline: Duration, _ done: @escaping (Result<RelayEdge.ReadCounters.Reply, Failure>) -> Void
    ) {
        link.call(RelayEdge.ReadCounters(), deadline: deadline) { result, _ in done(result) }
    }

    package func watchEvents(
        onItem: @escaping (RelayEdge.RelayEvent) -> Void, onEnd: @escaping (Failure?) -> Void
    ) {
        link.client.open(RelayEdge.WatchEvents(), onItem: { onItem($0.event) }, onEnd: onEnd)
    }
}
