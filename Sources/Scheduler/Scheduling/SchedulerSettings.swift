// The numbers of schedulerd. The daemon uses these; tests pass smaller ones.

import Wire

/// Limits and patience.
package struct SchedulerSettings: Sendable {
    /// Runners that may exist at once; nil: as many as the machine has room for.
    package var maxRunners: Int?
    /// Of the host's processors and memory, what all runners together may be promised, in percent.
    package var cpuPercent = 200
    package var memoryPercent = 90
    /// Runners that wait without a job, in all; and of one pool, by image, where that is not `maxIdleRunners`.
    package var maxIdleRunners = 0
    package var idleOfImage: [String: Int] = [:]
    /// How long after its last use a pool keeps runners that wait.
    package var cooldown = Duration.seconds(300)
    /// From a job on a runner that waited to the making of the next one.
    package var refillPause = Duration.milliseconds(50)
    /// How long a job that finds no room lets others pass it by.
    package var patience = Duration.seconds(60)
    /// How long the machine is let run empty for it in the hope that what runs ends soon.
    package var keepInHope = Duration.seconds(300)
    /// What this host has, for jobs that ask for it.
    package var tags: Set<String> = []
    /// How long a job and its logs are kept after its end, in the time of the house; nil: for ever.
    package var retention: Duration?
    /// What a job's own timeout is given on top, before its container is removed by force.
    package var timeoutMargin = Duration.seconds(30)
    /// What the grace of a cancellation is given on top.
    package var cancelMargin = Duration.seconds(5)
    /// From the container's order to the runner's hello.
    package var readyLimit = Duration.seconds(120)
    /// From the end of a container to the end of its job, so that the last records can arrive by way of relayd.
    package var drain = Duration.seconds(3)
    /// Pauses before a failed request to a sibling is made again.
    package var retryShortest = Duration.milliseconds(500)
    package var retryLongest = Duration.seconds(5)
    /// The longest rest of a project whose forge does not answer, or has heard enough of us.
    package var forgeRetryLongest = Duration.seconds(60)
    /// From one question where a change is based to the next, and after one that found no room in courierd.
    package var basePause = Duration.seconds(5)
    /// From one look at what is open of deliveries to the next, while much is worked on.
    package var deliveriesPause = Duration.milliseconds(100)
    /// From one question what is new at a forge to the next.
    package var pollPause = Duration.seconds(10)
    /// The same after an answer that no repetition makes a better one.
    package var pollMended = Duration.seconds(300)
    /// From the first news of a change to the comment about it: more may follow.
    package var commentPause = Duration.seconds(2)
    /// Where people see this house, without a slash at its end; forges link there. nil: nowhere.
    package var publicURL: String?
    /// From one question what the engine is to the next: it says nothing when it goes.
    package var describeAgain = Duration.seconds(5)
    /// From one comparison of the containers with the rows to the next: an engine may finish what nobody waits for.
    package var compareAgain = Duration.seconds(10)
    /// From relayd's return to the first AttachRunner: it first says itself whom it still holds.
    package var attachPause = Duration.milliseconds(200)
    /// From an AttachRunner that succeeded to the next, if the runner has not been heard of.
    package var attachAgain = Duration.seconds(5)
    /// Pause after a commit that failed, before what came from the siblings is tried again.
    package var commitRetry = Duration.milliseconds(500)
    /// Units of work that may wait while commits fail; beyond it the siblings are asked anew afterwards.
    package var waitingUnits = 10_000
    /// How long an uploaded archive waits for the job that names it, and how often such are looked for.
    package var uploadLease = Duration.seconds(900)
    package var sweep = Duration.seconds(60)

    package init(maxRunners: Int? = nil) {
        self.maxRunners = maxRunners
    }

    /// The most that ListRunners can show.
    package static let runnersAtMost = 128

    var runnerLimit: Int { min(max(maxRunners ?? Self.runnersAtMost, 1), Self.runnersAtMost) }

    /// Thousandths of a CPU.
    func cpuCapacity(_ host: SpawnerEdge.DescribeHost.Reply) -> UInt64 {
        UInt64(host.cpus) * 1000 * UInt64(cpuPercent) / 100
    }

    /// Bytes; whole MiB, as people count.
    func memoryCapacity(_ host: SpawnerEdge.DescribeHost.Reply) -> UInt64 {
        let bytes = host.memoryBytes / 100 * UInt64(memoryPercent)
        return bytes - bytes % (1 << 20)
    }

    /// What keeps a runner from this host whatever else ends.
    func neverFits(_ asked: Resources, _ host: SpawnerEdge.DescribeHost.Reply) -> String? {
        let (millis, memory) = (cpuCapacity(host), memoryCapacity(host))
        if UInt64(asked.cpuMillis) <= millis && asked.memoryBytes <= memory { return nil }
        return Reasons.neverFits(asked, cpuMillis: millis, memory: memory)
    }

    /// Runners of one pool that may wait.
    func spares(ofImage image: String) -> Int { idleOfImage[image] ?? maxIdleRunners }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

/// Pauses that double.
struct Backoff {
    let shortest: Duration
    let longest: Duration
    private var next: Duration?

    init(_ settings: SchedulerSettings, longest: Duration? = nil) {
        shortest = settings.retryShortest
        self.longest = longest ?? settings.retryLongest
    }

    mutating func pause() -> Duration {
        let now = next ?? shortest
        next = min(now * 2, longest)
        return now
    }

    mutating func reset() { next = nil }
}
