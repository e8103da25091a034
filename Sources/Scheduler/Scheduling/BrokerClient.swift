// The broker edge, from schedulerd's side.

import Link
package import Posix
package import Wire

/// BrokerLink over the socket of brokerd.
package final class BrokerClient: BrokerLink {
    /// Somebody waits for the answer to each of these, and brokerd waits for its own disk only.
    private static let deadline = Duration.seconds(10)
    private let link: WatchedLink<BrokerEdge>

    /// Every request of apid becomes one of ours, so as many may wait as apid may have in flight.
    package init(loop: PollLoop, path: String) {
        link = WatchedLink(
            loop: loop, path: path, role: .schedulerd, settings: LinkSettings(window: 1_024, waitingLimit: 2_048))
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

    package func verifyToken(_ token: String, _ done: @escaping (Result<BrokerEdge.Caller, Failure>) -> Void) {
        link.call(BrokerEdge.VerifyToken(token: token), deadline: Self.deadline) { result, _ in
            done(result.map(\.caller))
        }
    }

    package func vouch(_ request: BrokerEdge.Vouch, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result.map(\.ticket)) }
    }

    package func verifyDelivery(
        _ request: BrokerEdge.VerifyDelivery, body: consuming FileDescriptor,
        _ done: @escaping (Result<DeliveryWord, Failure>) -> Void
    ) {
        link.call(request, fd: body, deadline: Self.deadline) { result, _ in done(result.map(\.delivery)) }
    }

    package func vouchEvent(_ request: BrokerEdge.VouchEvent, _ done: @escaping (Result<Ticket, Failure>) -> Void) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result.map(\.ticket)) }
    }

    package func approve(_ request: BrokerEdge.Approve, _ done: @escaping (Result<ApprovalWord, Failure>) -> Void) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result.map(\.approval)) }
    }

    package func execute(_ order: SealedOrder, token: String, _ done: @escaping (Failure?) -> Void) {
        link.call(BrokerEdge.Execute(token: token, order: order), deadline: Self.deadline) { result, _ in
            done(result.failure)
        }
    }

    package func listSecrets(
        _ request: BrokerEdge.ListSecrets, _ done: @escaping (Result<BrokerEdge.ListSecrets.Reply, Failure>) -> Void
    ) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    package func listUsers(
        _ request: BrokerEdge.ListUsers, _ done: @escaping (Result<BrokerEdge.ListUsers.Reply, Failure>) -> Void
    ) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    package func listTokens(
        _ request: BrokerEdge.ListTokens, _ done: @escaping (Result<BrokerEdge.ListTokens.Reply, Failure>) -> Void
    ) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result) }
    }

    package func prepare(_ runner: Bytes16, _ done: @escaping (Result<Bytes16, Failure>) -> Void) {
        link.call(BrokerEdge.Prepare(runner: runner), deadline: Self.deadline) { result, _ in
            done(result.map(\.grant))
        }
    }

    package func grant(_ request: BrokerEdge.Grant, _ done: @escaping (Failure?) -> Void) {
        link.call(request, deadline: Self.deadline) { result, _ in done(result.failure) }
    }

    package func wipe(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void) {
        link.call(BrokerEdge.Wipe(grant: grant), deadline: Self.deadline) { result, _ in done(result.failure) }
    }

    package func discard(_ grant: Bytes16, _ done: @escaping (Failure?) -> Void) {
        link.call(BrokerEdge.Discard(grant: grant), deadline: Self.deadline) { result, _ in done(result.failure) }
    }

    package func reconcile(live: [Bytes16], _ done: @escaping (Failure?) -> Void) {
        link.call(BrokerEdge.Reconcile(live: live), deadline: Self.deadline) { result, _ in done(result.failure) }
    }
}
