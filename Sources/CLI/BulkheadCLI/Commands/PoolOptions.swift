// PoolOptions: what `bulkhead up` is told about runners in advance, promises and keeping.

import ArgumentParser
import Foundation

struct PoolOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Runners that are made in advance and wait, in all; MAX_IDLE_RUNNERS sets it too. (default: 2)",
            valueName: "n"))
    var maxIdleRunners: String?

    @Option(help: ArgumentHelp("How many of these wait at most for an image; may be repeated.", valueName: "image=n"))
    var idle: [String] = []

    @Option(
        help: ArgumentHelp(
            "How long after their pool's last use they wait; RUNNER_COOLDOWN_MINUTES sets it too. (default: 5m)",
            valueName: "time"))
    var cooldown: String?

    @Option(
        help: ArgumentHelp(
            "Of the machine's processors, what all runners together may be promised. (default: 200)",
            valueName: "percent"))
    var cpuPercent: String?

    @Option(
        help: ArgumentHelp(
            "Of the machine's memory, what all runners together may have. (default: 90)", valueName: "percent"))
    var memoryPercent: String?

    @Option(help: ArgumentHelp("What this machine has, for jobs that ask for it, with commas.", valueName: "a,b"))
    var tags: String?

    @Option(
        help: ArgumentHelp(
            "Days after its end that a job and its log are kept; for ever if not given.", valueName: "days"))
    var retention: String?

    func settings() throws -> PoolSettings {
        try PoolSettings(
            .init(
                maxIdleRunners: maxIdleRunners, idle: idle, cooldown: cooldown, cpuPercent: cpuPercent,
                memoryPercent: memoryPercent, tags: tags, retention: retention),
            environment: ProcessInfo.processInfo.environment)
    }
}
