// What `bulkhead up` is told about runners in advance: defaults, variables, options, and what is refused.

import BulkheadCLI
import Testing

@Suite struct PoolSettingsTests {
    private func arguments(
        _ words: PoolSettings.Words = .init(), _ environment: [String: String] = [:]
    ) throws -> String {
        try PoolSettings(words, environment: environment).arguments.joined(separator: " ")
    }

    @Test func whatHoldsIfNothingIsSaid() throws {
        #expect(try arguments() == "--max-idle-runners 2 --cooldown 300")
        let empty = try arguments(.init(), ["MAX_IDLE_RUNNERS": "", "RUNNER_COOLDOWN_MINUTES": ""])
        #expect(empty == "--max-idle-runners 2 --cooldown 300")
    }

    @Test func anOptionWinsOverItsVariable() throws {
        let environment = ["MAX_IDLE_RUNNERS": "7", "RUNNER_COOLDOWN_MINUTES": "10"]
        #expect(try arguments(.init(), environment) == "--max-idle-runners 7 --cooldown 600")
        #expect(
            try arguments(.init(maxIdleRunners: "0", cooldown: "90s"), environment)
                == "--max-idle-runners 0 --cooldown 90")
        // What is not looked at may say anything.
        let given = try arguments(.init(maxIdleRunners: "1"), ["MAX_IDLE_RUNNERS": "many"])
        #expect(given == "--max-idle-runners 1 --cooldown 300")
    }

    @Test func everythingElse() throws {
        let words = PoolSettings.Words(
            idle: ["bulkhead/debian=1", "registry:5000/a@sha256:00=3"], cpuPercent: "100", memoryPercent: "50",
            tags: "big,gpu", retention: "30")
        #expect(
            try arguments(words)
                == "--max-idle-runners 2 --idle bulkhead/debian=1,registry:5000/a@sha256:00=3 --cooldown 300 "
                + "--cpu-percent 100 --memory-percent 50 --tags big,gpu --retention 30")
    }

    @Test func whatIsRefusedSaysWhere() {
        let bad: [(PoolSettings.Words, [String: String], String)] = [
            (.init(maxIdleRunners: "-1"), [:], "--max-idle-runners"), (.init(maxIdleRunners: "129"), [:], "128"),
            (.init(), ["MAX_IDLE_RUNNERS": "two"], "MAX_IDLE_RUNNERS"),
            (.init(), ["RUNNER_COOLDOWN_MINUTES": "5m"], "RUNNER_COOLDOWN_MINUTES"),
            (.init(), ["RUNNER_COOLDOWN_MINUTES": "0"], "RUNNER_COOLDOWN_MINUTES"),
            (.init(cooldown: "0s"), [:], "--cooldown"), (.init(cooldown: "soon"), [:], "like 90s or 5m"),
            (.init(idle: ["debian"]), [:], "IMAGE=NUMBER"), (.init(idle: ["=1"]), [:], "--idle"),
            (.init(idle: ["a=1,b=2"]), [:], "--idle"), (.init(idle: ["a=1=2"]), [:], "--idle"),
            (.init(cpuPercent: "9"), [:], "--cpu-percent"), (.init(memoryPercent: "101"), [:], "--memory-percent"),
            (.init(tags: "a,,b"), [:], "--tags"), (.init(tags: "a b"), [:], "--tags"),
            (.init(retention: "0"), [:], "--retention"),
        ]
        for (words, environment, expected) in bad {
            #expect {
                _ = try PoolSettings(words, environment: environment)
            } throws: { error in
                (error as? CommandFailure)?.description.contains(expected) == true
            }
        }
    }
}
