// The checks of a job behind the wall. apid and the CLI make them for people, with all mistakes at once; whoever has
// taken apid over meets them again here.

import JobModel
import JobWire
import Link
package import Wire

/// What a job or a runner may ask for at all; the site's policy (spawnerd) may allow less.
package enum SpecCheck {
    /// So that a job fits every control edge.
    package static let encodedLimit = 48 * 1024
    static let sourceLimit: UInt64 = 1 << 40

    /// Throws `invalid` or `too_large` with the place.
    package static func check(_ definition: JobDefinition) throws(Failure) {
        if !JobFile.isProjectName(definition.project) { throw invalid("not a project's name", "project") }
        if definition.secretNames.count > JobFile.Bounds.secretsOfJob {
            throw invalid("at most \(JobFile.Bounds.secretsOfJob) different secrets", "steps")
        }
        try check(definition.spec)
        try check(definition.schedule)
        if let source = definition.source, source.size == 0 || source.size > sourceLimit {
            throw invalid("not a size", "source.size")
        }
    }

    private static func check(_ schedule: Schedule) throws(Failure) {
        try range(schedule.priority, JobFile.Bounds.priority, "priority")
        try range(schedule.retries, JobFile.Bounds.retries, "retries")
        if schedule.queueTimeoutSeconds != 0 {
            try range(schedule.queueTimeoutSeconds, JobFile.Bounds.timeout, "queue_timeout")
        }
        if let group = schedule.group, !JobFile.isSecretName(group.name) {
            throw invalid("not a group's name", "group")
        }
        if schedule.needs.contains(0) || Set(schedule.needs).count != schedule.needs.count {
            throw invalid("each job once, by its number", "needs")
        }
        if !schedule.tags.allSatisfy(JobFile.isSecretName) { throw invalid("not a tag", "tags") }
    }

    private static func check(_ spec: JobSpec) throws(Failure) {
        if spec.steps.isEmpty { throw invalid("a job has at least one step", "steps") }
        try check(spec.shape)
        try range(spec.timeoutSeconds, JobFile.Bounds.timeout, "timeout", Quantity.show(seconds:))
        if spec.silenceSeconds != 0 {
            try range(spec.silenceSeconds, JobFile.Bounds.timeout, "silence_timeout", Quantity.show(seconds:))
        }
        for (index, step) in spec.steps.enumerated() {
            if step.run.isEmpty { throw invalid("a step has something to run", "steps[\(index)].run") }
            if step.timeoutSeconds != 0 {  // 0: the job's limit is its own
                let place = "steps[\(index)].timeout"
                try range(step.timeoutSeconds, JobFile.Bounds.timeout, place, Quantity.show(seconds:))
            }
            try check(step, "steps[\(index)].secrets")
        }
        // It decides about capabilities: neither more than is needed, nor a step that could not be started.
        if spec.shape.untrustedSteps != spec.steps.contains(where: \.untrusted) {
            throw invalid("must say whether a step is untrusted", "shape")
        }
        try check(names: spec.env.map(\.name), "env")
        guard let bytes = try? spec.encoded() else { throw Failure(.invalid, "a value is out of bounds") }
        if bytes.count > encodedLimit {
            let text = "the job is \(bytes.count) bytes long, \(encodedLimit) are allowed"
            throw Failure(.tooLarge, text, place: "steps")
        }
    }

    private static func check(_ step: Step, _ place: String) throws(Failure) {
        if step.untrusted && !step.secrets.isEmpty { throw invalid("an untrusted step has no secrets", place) }
        for use in step.secrets where !JobFile.isSecretName(use.name) { throw invalid("not a secret's name", place) }
        try check(names: step.secrets.map(\.variable), place)
    }

    package static func check(_ shape: RunnerShape) throws(Failure) {
        // An image's name ends up in the engine's URL and in people's terminals.
        let isPlain = shape.image.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if shape.image.isEmpty || !isPlain { throw invalid("not an image reference", "image") }
        try range(shape.resources.cpuMillis, JobFile.Bounds.cpuMillis, "resources.cpus", Quantity.show(cpuMillis:))
        try range(shape.resources.memoryBytes, JobFile.Bounds.memory, "resources.memory", Quantity.show(bytes:))
        try range(shape.resources.pids, JobFile.Bounds.pids, "resources.pids")
        try range(shape.resources.diskBytes, JobFile.Bounds.disk, "resources.disk", Quantity.show(bytes:))
        if let gpus = shape.gpus, gpus.count == 0 || Int64(gpus.count) > JobFile.Bounds.gpus.upperBound {
            throw invalid("between 1 and \(JobFile.Bounds.gpus.upperBound), or none", "resources.gpus")
        }
        if shape.resources.diskBytes > shape.resources.memoryBytes {
            throw invalid("the disk lies in memory: it cannot be larger than resources.memory", "resources.disk")
        }
    }

    private static func check(names: [String], _ place: String) throws(Failure) {
        var seen: Set<String> = []
        for variable in names {
            let name = Array(variable.utf8)
            let isName = name.allSatisfy { $0 == UInt8(ascii: "_") || isLetter($0) || isDigit($0) }
            if !isName || name.first.map(isDigit) ?? true { throw invalid("not a variable's name", place) }
            // What the runner says of itself in them must not come from a job.
            if variable == "BULKHEAD" || variable.hasPrefix("BULKHEAD_") {
                throw invalid("'\(variable)' is reserved: Bulkhead sets it", place)
            }
            if !seen.insert(variable).inserted { throw invalid("'\(variable)' is there twice", place) }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func range(
        _ value: some BinaryInteger, _ range: ClosedRange<Int64>, _ place: String,
        _ show: (Int64) -> String = { "\($0)" }
    ) throws(Failure) {
        if value < range.lowerBound || value > range.upperBound {
            let (shown, least, most) = (show(Int64(clamping: value)), show(range.lowerBound), show(range.upperBound))
            throw invalid("\(shown) is not between \(least) and \(most)", place)
        }
    }

    private static func invalid(_ text: String, _ place: String) -> Failure {
        Failure(.invalid, text, place: place)
    }
}
