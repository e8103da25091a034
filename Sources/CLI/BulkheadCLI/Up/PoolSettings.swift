// PoolSettings: the words of a person about runners in advance, checked, as schedulerd's command line. An option wins
// over its variable; what is wrong is said here and not in a daemon's log.

import JobModel

package struct PoolSettings {
    /// As they were given; nil: not at all.
    package struct Words {
        package var maxIdleRunners: String?
        package var idle: [String] = []
        package var cooldown: String?
        package var cpuPercent: String?
        package var memoryPercent: String?
        package var tags: String?
        package var retention: String?

        package init(
            maxIdleRunners: String? = nil, idle: [String] = [], cooldown: String? = nil, cpuPercent: String? = nil,
            memoryPercent: String? = nil, tags: String? = nil, retention: String? = nil
        ) {
            self.maxIdleRunners = maxIdleRunners
            self.idle = idle
            self.cooldown = cooldown
            self.cpuPercent = cpuPercent
            self.memoryPercent = memoryPercent
            self.tags = tags
            self.retention = retention
        }
    }

    /// The most runners that there can be.
    private static let runners = 0...128

    /// For bulkhead-schedulerd.
    package let arguments: [String]

    package init(_ words: Words, environment: [String: String]) throws {
        var arguments: [String] = []
        let idle = Self.first(("--max-idle-runners", words.maxIdleRunners), ("MAX_IDLE_RUNNERS", environment))
        arguments += ["--max-idle-runners", "\(try idle.map { try Self.number($0.text, Self.runners, $0.name) } ?? 2)"]
        if !words.idle.isEmpty { arguments += ["--idle", try words.idle.map(Self.idle).joined(separator: ",")] }
        arguments += ["--cooldown", "\(try Self.cooldown(words.cooldown, environment))"]
        if let percent = words.cpuPercent {
            arguments += ["--cpu-percent", "\(try Self.number(percent, 10...1000, "--cpu-percent"))"]
        }
        if let percent = words.memoryPercent {
            arguments += ["--memory-percent", "\(try Self.number(percent, 10...100, "--memory-percent"))"]
        }
        if let tags = words.tags { arguments += ["--tags", try Self.tags(tags)] }
        if let days = words.retention {
            arguments += ["--retention", "\(try Self.number(days, 1...36_500, "--retention"))"]
        }
        self.arguments = arguments
    }

    /// The option, or else the variable if it says something.
    private static func first(
        _ option: (name: String, text: String?), _ variable: (name: String, environment: [String: String])
    ) -> (name: String, text: String)? {
        if let text = option.text { return (option.name, text) }
        guard let text = variable.environment[variable.name], !text.isEmpty else { return nil }
        return (variable.name, text)
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>, _ name: String) throws -> Int {
        if let number = Int(text), range.contains(number) { return number }
        throw CommandFailure(
            "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), and it is '\(text)'",
            exit: .usage)
    }

    private static func idle(_ entry: String) throws -> String {
        let parts = entry.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !entry.contains(","), let number = Int(parts[1]),
            runners.contains(number)
        else {
            throw CommandFailure(
                "--idle must be IMAGE=NUMBER, like bulkhead/debian=1, and it is '\(entry)'", exit: .usage)
        }
        return entry
    }

    /// In seconds: the option is a time, the variable a number of minutes.
    private static func cooldown(_ option: String?, _ environment: [String: String]) throws -> Int {
        let given = first(("--cooldown", option), ("RUNNER_COOLDOWN_MINUTES", environment))
        guard let given else { return 300 }
        if option == nil { return try number(given.text, 1...10_080, given.name) * 60 }
        guard let seconds = Quantity.seconds(given.text), (1...604_800).contains(seconds) else {
            throw CommandFailure(
                "--cooldown must be a time from 1s to 7d, like 90s or 5m, and it is '\(given.text)'", exit: .usage)
        }
        return Int(seconds)
    }

    private static func tags(_ text: String) throws -> String {
        let tags = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard tags.allSatisfy(JobFile.isSecretName) else {
            throw CommandFailure(
                "--tags must be names of letters, digits and . _ - with commas between them, and it is '\(text)'",
                exit: .usage)
        }
        return text
    }
}
