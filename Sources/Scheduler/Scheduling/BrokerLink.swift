// What schedulerd wants of brokerd, one method for each message of broker.wire. BrokerClient speaks it over the edge;
// tests answer it from a script. Secrets have names here and no values.

package import Posix
package import Wire

/// A connection to brokerd that comes back by itself. Completions run on the loop's thread, exactly once, and never
/// before the method returns.
package protocol BrokerLink: AnyObject {
    var isReady: Bool { get }
    /// Why it is not ready, if that is known.
    var lastFailure: Failure? { get }
    /// It is ready, requests wait, and since this moment of the loop's clock nothing has come.
    var silentSince: UInt64? { get }
    /// Up, or up again: what lay in the grants may have been wiped.
    var onUp: (() -> Void)? { get set }
    var onDown: ((Failure) -> Void)? { get set }

    func start()
    /// The link goes down, and stays so until `start`.
    func stop()
    func verifyToken(_ token: String, _ done: @escaping (Result<BrokerEdge.Caller, Failure>) -> Void)
    func vouch(_ request: BrokerEdge.Vouch, _ done: @escaping (Result<Ticket, Failure>) -> Void)
    /// The file holds the delivery's body.
    func verifyDelivery(
        _ request: BrokerEdge.VerifyDelivery, body: consuming FileDescriptor,
        _ done: @escaping (Result<DeliveryWord, Failure>) -> Void)
    func vouchEvent(_ request: BrokerEdge.VouchEvent, _ done: @escaping (Result<Ticket, Failure>) -> Void)
    func approve(_ request: BrokerEdge.Approve, _ done: @escaping (Result<ApprovalWord, Failure>) -> Void)
    func execute(_ order: SealedOrder, token: String, _ done: @escaping (Failure?) -> Void)
    func listSecrets(
        _ request: BrokerEdge.ListSecrets, _ done: @escaping (Result<BrokerEdge.ListSecrets.Reply, Failure>) -> Void)
    func listUsers(
        _ request: BrokerEdge.ListUsers, _ done: @escaping (Result<BrokerEdge.ListUsers.Reply, Failure>) -> Void)
    func listTokens(
        _ request: BrokerEdge.ListTokens, _ done: @escaping (Result<BrokerEdge.ListTokens.Reply, Failure>) -> Void)
    /// The name of a directory for this runner's grant.
    func prepare(_ runner: Bytes16, _ done: @escaping (Result<Bytes16, Failure>) -> Void)
    func grant(_ request: BrokerEdge.Grant, _ done: @escaping (Failure?) -> Void)
    func wipe(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void)
    func discard(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void)
    func reconcile(live: [Bytes16], _ done: @escaping (Failure?) -> Void)
}

extension BrokerLink {
    package var silentSince: UInt64? { nil }
}
