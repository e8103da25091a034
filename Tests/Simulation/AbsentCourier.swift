// courierd is no part of the simulation: what its jobs need of a forge they do not ask for.

import Link
import Posix
import Scheduling
import Wire

final class AbsentCourier: CourierLink {
    let isReady = false
    let lastFailure: Failure? = nil
    var onUp: (() -> Void)?
    var onDown: ((Failure) -> Void)?
    private let loop: PollLoop

    init(loop: PollLoop) {
        self.loop = loop
    }

    private var gone: Failure { Failure(.disconnected, "") }

    func start() {}
    func stop() {}

    func fetchSource(
        _ request: CourierEdge.FetchSource,
        _ done: @escaping (Result<SourceWord, Failure>, consuming FDBundle) -> Void
    ) {
        loop.soon { done(.failure(self.gone), FDBundle()) }
    }

    func postStatus(_ request: CourierEdge.PostStatus, _ done: @escaping (Failure?) -> Void) {
        loop.soon { done(self.gone) }
    }

    func postComment(_ request: CourierEdge.PostComment, _ done: @escaping (Failure?) -> Void) {
        loop.soon { done(self.gone) }
    }

    func askPermission(
        _ request: CourierEdge.AskPermission, _ done: @escaping (Result<PermissionWord, Failure>) -> Void
    ) {
        loop.soon { done(.failure(self.gone)) }
    }

    func askChange(
        _ request: CourierEdge.AskChange, _ done: @escaping (Result<CourierEdge.AskChange.Reply, Failure>) -> Void
    ) {
        loop.soon { done(.failure(self.gone)) }
    }

    func askFiles(
        _ request: CourierEdge.AskFiles, _ done: @escaping (Result<CourierEdge.AskFiles.Reply, Failure>) -> Void
    ) {
        loop.soon { done(.failure(self.gone)) }
    }

    func poll(_ request: CourierEdge.Poll, _ done: @escaping (Result<CourierEdge.Poll.Reply, Failure>) -> Void) {
        loop.soon { done(.failure(self.gone)) }
    }

    func checkForge(_ request: CourierEdge.CheckForge, _ done: @escaping (Result<[String], Failure>) -> Void) {
        loop.soon { done(.failure(self.gone)) }
    }

    func readJobFile(
        _ request: CourierEdge.ReadJobFile, _ done: @escaping (Result<CourierEdge.ReadJobFile.Reply, Failure>) -> Void
    ) {
        loop.soon { done(.failure(self.gone)) }
    }

    func askRunner(
        _ request: CourierEdge.AskRunner, _ done: @escaping (Result<CourierEdge.RunnerNews, Failure>) -> Void
    ) {
        loop.soon { done(.failure(self.gone)) }
    }

    func setRoom(_ request: CourierEdge.SetRoom) {}

    func leaveRunner(_ request: CourierEdge.LeaveRunner, _ done: @escaping (Failure?) -> Void) {
        loop.soon { done(self.gone) }
    }

    func reportJob(
        _ request: CourierEdge.ReportJob, onItem: @escaping (CourierEdge.ReportWord) -> Void,
        onEnd: @escaping (Failure?) -> Void
    ) {
        loop.soon { onEnd(self.gone) }
    }

    func showLog(
        _ request: CourierEdge.ShowLog, _ log: consuming FileDescriptor, _ done: @escaping (Failure?) -> Void
    ) {
        loop.soon { done(self.gone) }
    }

    func endJob(_ request: CourierEdge.EndJob, _ done: @escaping (Failure?) -> Void) {
        loop.soon { done(self.gone) }
    }

    func prepareJob(
        _ request: CourierEdge.PrepareJob,
        _ done: @escaping (Result<CourierEdge.PrepareJob.Reply, Failure>, consuming FDBundle) -> Void
    ) {
        loop.soon { done(.failure(self.gone), FDBundle()) }
    }

    func sendArtifact(
        _ request: CourierEdge.SendArtifact, _ archive: consuming FileDescriptor, _ done: @escaping (Failure?) -> Void
    ) {
        loop.soon { done(self.gone) }
    }
}
