// schedulerd's middle. It decides; the database remembers; brokerd, spawnerd, relayd and courierd do. Its parts, in the
// order in which a job meets them: Submit, Needs, Gates (into the queue), Cascades (many at once), Patience (out of it
// by the clock), Dispatch (queue to runner), Keep (room for large ones), Warm (runners in advance), Provision (runner
// to container), Grants and Releases (what brokerd lays out), Telling (runner to job), Events (what relayd says),
// Containers (what spawnerd says), Cancel, Retry, Teardown (every end), Sources. Projects, Deliveries, Planning,
// Errands, Tickets and Approvals are what webhooks lead to; Polling asks forges that send none; Postings and Statuses
// are what forges are told; GitLabDesk is GitLab's runner protocol. Reconcile and Broker are starts and reconnections,
// Damage is rows that cannot be read; Callers is who may ask, Explain, JobViews and Metrics are what they are told,
// *Handlers where the edge comes in.
//
// The rule of every part: what is decided is written in a unit of work; what others can see of it happens in
// `afterCommit`. So after kill -9 the rows say at least as much as anybody was told, and Reconcile says it again.

package import Daemon
package import Posix
package import Store
package import Wire

/// Lives on its loop's thread.
package final class Scheduler {
    let loop: PollLoop
    /// Names for runners. A simulation makes its own, so that a run can be made again.
    let newID: () -> Bytes16
    let spawner: any SpawnerLink
    let relay: any RelayLink
    let settings: SchedulerSettings
    let broker: any BrokerLink
    let courier: any CourierLink
    let log: Log
    package let batch: Batch
    package let instance: String
    /// Counts the starts on this state: spawnerd makes no container that an older life still asks for.
    package let epoch: UInt64
    /// What was given out, beside the database; nil in tests that have nothing beside it.
    let highWater: HighWater?

    let watchers = JobWatchers()
    /// Open WatchJob streams.
    package var watchCount: Int { watchers.count }
    var uploads = Uploads()
    /// Uploads that relayd was asked to finish, until it is written what came of them: no archive is removed meanwhile,
    /// since it could be the one that just arrives.
    var finishing = 0
    private var timers: [TimerKey: TimerID] = [:]

    let shapes = ShapeCache()
    var meter = Meter()
    /// What dispatching and explaining have cost so far: lines of the queue that were looked at.
    package var linesLookedAt: UInt64 { meter.lines }
    /// Where the queue is looked at next, if it is longer than one pass may look; and where once more after that.
    var restOfQueue: QueuePass?
    var restAgain: QueuePass?
    /// What has followed from committed changes and was not come to yet; one unit of work at a time goes on with it.
    var cascades: [Cascade] = []
    var isFollowing = false
    /// What is kept for somebody who has waited long, or was a while ago.
    var keepings: [Kept: Keeping] = [:]
    /// Jobs that run, as far as this life has seen it.
    var works: [UInt64: Work] = [:]
    /// How far this round through the shapes has come.
    var lastShape: Int64 = 0
    /// How far this round of the retention has come; nil: it is through.
    var lastSwept: EndedJob?
    /// Nothing begins.
    var isDraining = false
    /// A runner that waited was given a job a moment ago.
    var waitsToRefill = false
    /// What is wrong with the house, since these moments of the wall clock.
    var troubles: [Hindrance: Int64] = [:]
    let wall: () -> Int64
    /// Why no runners of a pool can be made in advance at present.
    var poolTrouble: [Pool: Trouble] = [:]
    /// Why devices are not asked for at present: spawnerd holds them for another runner.
    var deviceTrouble: [String: Trouble] = [:]
    /// How often the engine has refused a runner for a job, one after another, since a runner was last told of it.
    var refusals: [UInt64: Int] = [:]

    // What the connections to the siblings have told since they came up. Nothing of it is needed after a restart.

    /// Runners whose stream relayd holds.
    var attached: Set<Bytes16> = []
    /// Counts the links to relayd.
    var relayLink = 0
    /// Runners whose stream relayd has lost since then.
    var detached: Set<Bytes16> = []
    /// Runners whose container has ended; nil: nobody knows how.
    var exits: [Bytes16: SpawnerEdge.RunnerExit?] = [:]
    /// Runners that spawnerd was asked for.
    var asked: Set<Bytes16> = []
    /// Requests to spawnerd that are under way.
    var creating: Set<Bytes16> = []
    var attaching: Set<Bytes16> = []
    var removing: Set<Bytes16> = []
    /// What the engine's host is, once spawnerd has said so.
    var host: SpawnerEdge.DescribeHost.Reply?
    var engine = EngineView.unknown
    /// Why no container can be made at present.
    var engineTrouble: Failure?
    var engineBackoff: Backoff
    var removalBackoff: [Bytes16: Backoff] = [:]
    /// No container is asked for until the timer `.engine` has fired.
    var engineIsPaused = false
    /// Runners that brokerd is asked to prepare for; grants that it wipes; attempts for which it is asked to release.
    var preparing: Set<Bytes16> = []
    var wiping: Set<Bytes16> = []
    var granting: Set<Attempt> = []
    /// Deliveries that are worked on; nil: one that asks for an approval, or is about to be closed.
    var errands: [UInt64: DeliveryErrand?] = [:]
    /// Why a project's forge is let alone at present.
    var forgeTroubles: [String: Trouble] = [:]
    /// Projects whose forge is asked what is new, and those that are asked now.
    var polled: [String: CourierEdge.ForgePlace] = [:]
    var polling: Set<String> = []
    /// Jobs whose end their forge has not been told yet, with their projects; and what is to be told, by project.
    var followed: [UInt64: String] = [:]
    var lanes: [String: PostingLane] = [:]
    /// Jobs of GitLab's.
    private(set) lazy var gitlab = GitLabDesk(self)
    /// brokerd knows which grants live, on this connection.
    var grantsAreReconciled = false
    /// Runners that may have found no key: brokerd started anew, or the master key was rotated, while they started.
    var keyless: Set<Bytes16> = []
    /// Why no grant can be prepared, and why nothing is released, at present.
    var preparation: Trouble
    var release: Trouble

    /// Claims the instance and the next epoch; nothing is sent before `start`. Throws StoreError.
    package init(
        loop: PollLoop, store: Store, instance: String, spawner: any SpawnerLink, relay: any RelayLink,
        broker: any BrokerLink, courier: any CourierLink, settings: SchedulerSettings, log: Log,
        highWater: HighWater? = nil,
        wall: @escaping () -> Int64 = Posix.wallMilliseconds, newID: @escaping () -> Bytes16 = Bytes16.random
    ) throws {
        var claimed: (instance: String, epoch: UInt64) = (instance, 0)
        var house: Int64 = 0
        var isDraining = false
        try store.write { rows in
            claimed = (try rows.claimInstance(instance), try rows.nextEpoch(above: highWater?.epoch ?? 0))
            try highWater?.begin(
                epoch: claimed.epoch, nextJob: try rows.nextJob(atLeast: highWater?.nextJob ?? 0))
            house = try rows.houseTime()
            isDraining = try rows.isDraining()
            if try rows.mendLines() { log.error("the queue was not what the jobs say; it is made anew", [:]) }
        }
        self.isDraining = isDraining
        self.highWater = highWater
        (self.instance, epoch) = claimed
        self.loop = loop
        self.newID = newID
        self.spawner = spawner
        self.relay = relay
        self.broker = broker
        self.courier = courier
        self.settings = settings
        self.log = log
        self.wall = wall
        engineBackoff = Backoff(settings)
        preparation = Trouble(settings)
        release = Trouble(settings)
        batch = Batch(
            loop: loop, store: store, log: log, clock: HouseClock(base: house, now: loop.now), wall: wall,
            retry: settings.commitRetry, limit: settings.waitingUnits)
        batch.dispatcher = { [weak self] unit in
            let start = ContinuousClock.now
            try self?.dispatch(unit)
            self?.meter.countDispatch(ContinuousClock.now - start)
        }
        batch.mender = { [weak self] unit, damage in try self?.giveUp(unit, damage) ?? false }
        batch.onUndone = { [weak self] in self?.shapes.forget() }
        batch.onOverflow = { [weak self] in self?.askAnew() }
        batch.onChanges = { [weak self] changes in
            self?.watchers.tell(changes)
            self?.notePostings(changes)
            self?.gitlab.note(changes)
        }
        loop.beforeWait { [weak self] in self?.noteTroubles() }
    }

    /// Connects to the siblings and takes up what an earlier life has left.
    package func start() {
        log.info("scheduler starts", ["instance": instance, "epoch": "\(epoch)"])
        spawner.onUp = { [weak self] in self?.spawnerIsUp() }
        spawner.onDown = { [weak self] failure in self?.spawnerIsDown(failure) }
        relay.onUp = { [weak self] in self?.relayIsUp() }
        relay.onDown = { [weak self] failure in self?.relayIsDown(failure) }
        broker.onUp = { [weak self] in self?.brokerIsUp() }
        broker.onDown = { [weak self] failure in self?.brokerIsDown(failure) }
        courier.onUp = { [weak self] in self?.courierIsUp() }
        courier.onDown = { [weak self] failure in self?.log.warning("courierd is away", ["why": failure.text]) }
        takeUpJobs()
        takeUpPostings()
        takeUpPolling()
        gitlab.takeUp()
        sweepSources()
        sweepJobs()
        broker.start()
        spawner.start()
        relay.start()
        courier.start()
    }

    /// Of the loop's clock.
    var now: UInt64 { loop.now }

    /// Runs `body` after `delay`, in place of what this timer was to do before.
    func arm(_ key: TimerKey, after delay: Duration, _ body: @escaping (Scheduler) -> Void) {
        if let old = timers[key] { loop.cancel(old) }
        timers[key] = loop.after(delay) { [weak self] in
            guard let self else { return }
            timers[key] = nil
            body(self)
        }
    }

    func disarm(_ key: TimerKey) {
        if let timer = timers.removeValue(forKey: key) { loop.cancel(timer) }
    }

    /// As logs have it.
    static func name(_ job: UInt64?) -> String { job.map { "\($0)" } ?? "none" }

    func isArmed(_ key: TimerKey) -> Bool { timers[key] != nil }
}
