// JobFile+Schedule: when a job runs, beside what it runs.

package import Documents

extension JobFile {
    /// When a job runs, and what becomes of it if the house fails.
    package struct Schedule: Equatable, Sendable {
        /// When a job that waits for others may run.
        package enum Condition: String, CaseIterable, Sendable {
            case allSuccess = "all_success"
            case anyFailed = "any_failed"
            case always
        }

        /// Higher runs first.
        package var priority: UInt8 = 50
        /// Of one group of a project one job runs at a time.
        package var group: String?
        /// It cancels those of its group that came before.
        package var cancelInProgress = false
        /// Jobs of the same project that have to end first.
        package var needs: [UInt64] = []
        package var when = Condition.allSuccess
        /// Seconds; 0: it may wait for ever.
        package var queueTimeout: UInt32 = 0
        /// New attempts after faults of the house; nil: as many as is usual for such a job.
        package var retries: UInt8?
        /// What the host has to have.
        package var tags: [String] = []

        package init() {}
    }

    static let scheduleKeys = [
        "priority", "group", "cancel_in_progress", "needs", "when", "queue_timeout", "retries", "tags",
    ]

    /// A job with secrets may have had effects that must not come twice.
    package var retries: UInt8 { schedule.retries ?? (steps.contains { !$0.secrets.isEmpty } ? 0 : 2) }
}

extension SpecReader {
    mutating func schedule(_ map: [String: SpecValue]) -> JobFile.Schedule {
        var schedule = JobFile.Schedule()
        if let value = map["priority"],
            let number = integer(value, at: "priority", in: JobFile.Bounds.priority, example: "50")
        {
            schedule.priority = UInt8(number)
        }
        if let value = map["retries"],
            let number = integer(value, at: "retries", in: JobFile.Bounds.retries, example: "2")
        {
            schedule.retries = UInt8(number)
        }
        if let value = map["queue_timeout"], let seconds = seconds(value, at: "queue_timeout") {
            schedule.queueTimeout = seconds
        }
        if let value = map["group"], let name = tag(value, at: "group") { schedule.group = name }
        if let value = map["cancel_in_progress"], let flag = bool(value, at: "cancel_in_progress") {
            schedule.cancelInProgress = flag
            if flag && map["group"] == nil {
                report("cancel_in_progress", value.place, "says nothing without a group; add group: NAME")
            }
        }
        if let value = map["needs"] { schedule.needs = needs(value) }
        if let value = map["when"], let when = word(value, at: "when", JobFile.Schedule.Condition.self) {
            schedule.when = when
            if map["needs"] == nil {
                report("when", value.place, "says nothing without needs; list the jobs that this one waits for")
            }
        }
        if let value = map["tags"] { schedule.tags = tags(value) }
        return schedule
    }

    package mutating func integer(
        _ value: SpecValue, at path: String, in range: ClosedRange<Int64>, example: String
    ) -> Int64? {
        number(value, at: path, in: range, example: example, show: { String($0) }) {
            if case .integer(let number) = $0 { number } else { nil }
        }
    }

    private mutating func needs(_ value: SpecValue) -> [UInt64] {
        guard let items = list(value, at: "needs", of: "numbers of jobs", limit: JobFile.Bounds.needs) else {
            return []
        }
        var needs: [UInt64] = []
        for (index, item) in items.enumerated() {
            let path = "needs[\(index)]"
            guard case .integer(let number) = item.content, number > 0 else {
                report(path, item.place, "is not the number of a job; `bulkhead jobs` shows them")
                continue
            }
            if needs.contains(UInt64(number)) {
                report(path, item.place, "is given twice; keep one")
            } else {
                needs.append(UInt64(number))
            }
        }
        return needs.sorted()
    }

    private mutating func tags(_ value: SpecValue) -> [String] {
        guard let items = list(value, at: "tags", of: "tags", limit: JobFile.Bounds.tags) else { return [] }
        var tags: Set<String> = []
        for (index, item) in items.enumerated() {
            if let tag = tag(item, at: "tags[\(index)]") { tags.insert(tag) }
        }
        return tags.sorted()
    }

    /// `[A-Za-z0-9_][A-Za-z0-9._-]{0,63}`, like a secret's name.
    private mutating func tag(_ value: SpecValue, at path: String) -> String? {
        guard let text = text(value, at: path, bytes: 1...JobFile.Bounds.tagBytes) else { return nil }
        if JobFile.isSecretName(text) { return text }
        report(path, value.place, "may have letters, digits and . _ - and begin with none of . and -")
        return nil
    }

    package mutating func list(
        _ value: SpecValue, at path: String, of what: String, limit: Int
    ) -> ArraySlice<SpecValue>? {
        guard case .list(let items) = value.content else {
            report(path, value.place, "must be a list of \(what); it is \(value.kind)")
            return nil
        }
        if items.count > limit { report(path, value.place, "has \(items.count) of them; at most \(limit) fit") }
        return items.prefix(limit)
    }
}
