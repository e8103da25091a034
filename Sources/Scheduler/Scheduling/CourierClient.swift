// The courier edge, from schedulerd's side.

import Link
package import Posix
package import Wire

/// CourierLink over the socket of courierd.
package final class CourierClient: CourierLink {
    /// courierd gives a forge up before that, and says so.
    private static let deadline = Duration.seconds(180)
    /// A large archive over a slow line.
    private static let archiveDeadline = Duration.seconds(900)
    private let client: LinkClient<CourierEdge>

    package init(loop: PollLoop, path: String) {
        client = LinkClient(loop: loop, path: path, role: .schedulerd, settings: LinkSettings(window: 256))
    }

    package var isReady: Bool { client.isReady }
    package var lastFailure: Failure? { client.lastFailure }
    package var onUp: (() -> Void)? {
        get { client.onUp }
        set { client.onUp = newValue }
    }
    package var onDown: ((Failure) -> Void)? {
        get { client.onDown }
        set { client.onDown = newValue }
    }

    package func start() { client.start() }

    package func stop() { client.stop() }

    package func fetchSource(
        _ request: CourierEdge.FetchSource,
        _ done: @escaping (Result<SourceWord, Failure>, consuming FDBundle) -> Void
    ) {
        client.call(request, deadline: Self.archiveDeadline) { result, fds in done(result.map(\.word), fds) }
    }

    package func postStatus(_ request: CourierEdge.PostStatus, _ done: @escaping (Failure?) -> Void) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result.failure) }
    }

    package func postComment(_ request: CourierEdge.PostComment, _ done: @escaping (Failure?) -> Void) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result.failure) }
    }

    package func askPermission(
        _ request: CourierEdge.AskPermission, _ done: @escaping (Result<PermissionWord, Failure>) -> Void
    ) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result.map(\.word)) }
    }

    package func askChange(
        _ request: CourierEdge.AskChange, _ done: @escaping (Result<CourierEdge.AskChange.Reply, Failure>) -> Void
    ) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    package func askFiles(
        _ request: CourierEdge.AskFiles, _ done: @escaping (Result<CourierEdge.AskFiles.Reply, Failure>) -> Void
    ) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    package func poll(
        _ request: CourierEdge.Poll, _ done: @escaping (Result<CourierEdge.Poll.Reply, Failure>) -> Void
    ) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    package func checkForge(
        _ request: CourierEdge.CheckForge, _ done: @escaping (Result<[String], Failure>) -> Void
    ) {
        client.call(request, deadline: .seconds(30)) { result, _ in done(result.map(\.missing)) }
    }

    package func readJobFile(
        _ request: CourierEdge.ReadJobFile, _ done: @escaping (Result<CourierEdge.ReadJobFile.Reply, Failure>) -> Void
    ) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    // MARK: GitLab's runner protocol

    package func askRunner(
        _ request: CourierEdge.AskRunner, _ done: @escaping (Result<CourierEdge.RunnerNews, Failure>) -> Void
    ) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result.map(\.news)) }
    }

    package func setRoom(_ request: CourierEdge.SetRoom) { client.call(request) { _, _ in } }

    package func leaveRunner(_ request: CourierEdge.LeaveRunner, _ done: @escaping (Failure?) -> Void) {
        client.call(request, deadline: Self.deadline) { result, _ in done(result.failure) }
    }

    package func reportJob(
        _ request: CourierEdge.ReportJob, onItem: @escaping (CourierEdge.ReportWord) -> Void,
        onEnd: @escaping (Failure?) -> Void
    ) {
        client.open(request, onItem: { onItem($0.word) }, onEnd: onEnd)
    }

    package func showLog(
        _ request: CourierEdge.ShowLog, _ log: consuming FileDescriptor, _ done: @escaping (Failure?) -> Void
    ) {
        client.call(request, fd: log) { result, _ in done(result.failure) }
    }

    package func endJob(_ request: CourierEdge.EndJob, _ done: @escaping (Failure?) -> Void) {
        client.call(request) { result, _ in done(result.failure) }
    }

    package func prepareJob(
        _ request: CourierEdge.PrepareJob,
        _ done: @escaping (Result<CourierEdge.PrepareJob.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        client.call(request, deadline: Self.archiveDeadline) { result, fds in done(result, fds) }
    }

    package func sendArtifact(
        _ request: CourierEdge.SendArtifact, _ archive: consuming FileDescriptor, _ done: @escaping (Failure?) -> Void
    ) {
        client.call(request, fd: archive, deadline: Self.archiveDeadline) { result, _ in done(result.failure) }
    }
}
