// What schedulerd wants of courierd, one method for each message of courier.wire. CourierClient speaks it over the
// edge; tests answer it from a script.

package import Posix
package import Wire

/// A connection to courierd that comes back by itself. Completions run on the loop's thread, exactly once, and never
/// before the method returns. A failure whose retry class is `later` may be another answer another time.
package protocol CourierLink: AnyObject {
    var isReady: Bool { get }
    /// Why it is not ready, if that is known.
    var lastFailure: Failure? { get }
    var onUp: (() -> Void)? { get set }
    var onDown: ((Failure) -> Void)? { get set }

    func start()
    /// The link goes down, and stays so until `start`.
    func stop()
    /// brokerd's word on the archive; the bundle holds it, open for reading, if it succeeded.
    func fetchSource(
        _ request: CourierEdge.FetchSource,
        _ done: @escaping (Result<SourceWord, Failure>, consuming FDBundle) -> Void)
    func postStatus(_ request: CourierEdge.PostStatus, _ done: @escaping (Failure?) -> Void)
    func postComment(_ request: CourierEdge.PostComment, _ done: @escaping (Failure?) -> Void)
    func askPermission(
        _ request: CourierEdge.AskPermission, _ done: @escaping (Result<PermissionWord, Failure>) -> Void)
    func askChange(
        _ request: CourierEdge.AskChange, _ done: @escaping (Result<CourierEdge.AskChange.Reply, Failure>) -> Void)
    func askFiles(
        _ request: CourierEdge.AskFiles, _ done: @escaping (Result<CourierEdge.AskFiles.Reply, Failure>) -> Void)
    func poll(_ request: CourierEdge.Poll, _ done: @escaping (Result<CourierEdge.Poll.Reply, Failure>) -> Void)
    func checkForge(_ request: CourierEdge.CheckForge, _ done: @escaping (Result<[String], Failure>) -> Void)
    func askRunner(
        _ request: CourierEdge.AskRunner, _ done: @escaping (Result<CourierEdge.RunnerNews, Failure>) -> Void)
    func setRoom(_ request: CourierEdge.SetRoom)
    func leaveRunner(_ request: CourierEdge.LeaveRunner, _ done: @escaping (Failure?) -> Void)
    /// `onEnd` runs once, with the connection or before it.
    func reportJob(
        _ request: CourierEdge.ReportJob, onItem: @escaping (CourierEdge.ReportWord) -> Void,
        onEnd: @escaping (Failure?) -> Void)
    func showLog(
        _ request: CourierEdge.ShowLog, _ log: consuming FileDescriptor, _ done: @escaping (Failure?) -> Void)
    func endJob(_ request: CourierEdge.EndJob, _ done: @escaping (Failure?) -> Void)
    /// The bundle holds the archive, open for reading, if it succeeded.
    func prepareJob(
        _ request: CourierEdge.PrepareJob,
        _ done: @escaping (Result<CourierEdge.PrepareJob.Reply, Failure>, consuming FDBundle) -> Void)
    func sendArtifact(
        _ request: CourierEdge.SendArtifact, _ archive: consuming FileDescriptor,
        _ done: @escaping (Failure?) -> Void)
    func readJobFile(
        _ request: CourierEdge.ReadJobFile, _ done: @escaping (Result<CourierEdge.ReadJobFile.Reply, Failure>) -> Void)
}
