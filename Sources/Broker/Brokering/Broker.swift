// brokerd's service: the only process that can vouch. Its parts: Broker+People (tokens, tickets, lists), Broker+Orders
// (what changes the vault), Broker+Users (users, roles and tokens), Broker+Grants (what a runner gets), Broker+Masks
// (what relayd must not let through), Broker+Projects (the rules of projects), Broker+Deliveries, Broker+Events and
// Broker+Approvals (what a webhook is worth), Broker+Forges (what courierd needs to ask a forge, and what it was told),
// Broker+GitLab (runners and jobs of GitLab's).
// Callers: schedulerd, relayd and courierd.

package import Daemon
package import Link
import Orders
import Posix
package import Vault
package import Wire

/// All handlers run on the loop's thread, one after the other: a rotation is between two of them and never inside one.
package final class Broker {
    let vault: Vault
    let files: GrantFiles
    let log: Log
    let refusals: Refusals
    /// Milliseconds since 1970.
    let now: () -> Int64
    let points: Points

    /// For which runner each grant was prepared, as far as this process knows; the key in the grant says it for good.
    var prepared: [Bytes16: Bytes16] = [:]
    var live: [Attempt: LiveGrant] = [:]
    var watchers: [Attempt: [ObjectIdentifier: ItemSink<MaskEdge.WatchMasks.Item>]] = [:]
    /// schedulerd has said which grants live; it says the rest of what this process may have forgotten right after.
    var isReconciled = false
    /// Dead tokens of jobs that have been recorded: once each, or a job could fill the disk.
    var recordedTokens: Set<Attempt> = []

    package init(
        _ vault: Vault, grants: String, log: Log, now: @escaping () -> Int64 = { Posix.wallMilliseconds() },
        points: @escaping Points = { _ in }
    ) {
        self.vault = vault
        self.log = log
        refusals = Refusals(log)
        self.now = now
        self.points = points
        files = GrantFiles(grants, points: points)
    }

    /// Before anybody is served: wipes what a broker before this one left in the grants. Throws if something cannot be.
    package func start() throws(Failure) {
        do {
            let count = try files.wipeAll()
            log.info("grants of an earlier run wiped", ["files": "\(count)"])
        } catch {
            throw Failure(.internal, "the grants cannot be wiped: \(error)")
        }
    }

    var content: StoreContent { vault.store.content }
    var jobTokens: JobTokens { JobTokens(key: vault.store.keys.jobTokens, generation: content.generation) }

    /// What schedulerd may ask.
    package var brokerHandlers: Handlers<BrokerEdge> {
        var handlers = Handlers<BrokerEdge>()
        on(&handlers, verifyToken)
        on(&handlers, vouch)
        on(&handlers, execute)
        on(&handlers, listSecrets)
        on(&handlers, prepare)
        on(&handlers, grant)
        on(&handlers, wipe)
        on(&handlers, discard)
        on(&handlers, reconcile)
        on(&handlers, vouchEvent)
        on(&handlers, approve)
        on(&handlers, listPolicies)
        on(&handlers, listUsers)
        on(&handlers, listTokens)
        handlers.on(BrokerEdge.VerifyDelivery.self) { request, fds, responder in
            self.verify(request, fds, responder)
        }
        return handlers
    }

    /// What relayd may ask.
    package var maskHandlers: Handlers<MaskEdge> {
        var handlers = Handlers<MaskEdge>()
        handlers.on(MaskEdge.WatchMasks.self) { request, sink in self.watchMasks(request.attempt, sink) }
        return handlers
    }

    private func on<Call: WireCall>(
        _ handlers: inout Handlers<BrokerEdge>, _ body: @escaping (Call) throws(Failure) -> Call.Reply
    ) where Call.Edge == BrokerEdge {
        let refusals = refusals
        handlers.on(Call.self) { request, _, responder in
            Self.answer(responder, Call.rule.name, refusals) { () throws(Failure) in try body(request) }
        }
    }

    /// Answers with what `body` returns, or with why not, which is noted.
    static func answer<Reply: WireMessage>(
        _ responder: Responder<Reply>, _ request: String, _ refusals: Refusals, _ body: () throws(Failure) -> Reply
    ) {
        do throws(Failure) {
            responder.reply(try body())
        } catch {
            refusals.note(request, error)
            responder.fail(error)
        }
    }
}
