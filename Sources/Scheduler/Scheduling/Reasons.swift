// The sentences that people read in the `reason` of a job or a runner: what happened, and what to do about it.

import Daemon
import JobModel
import JobWire
import Link
import Wire

enum Reasons {
    /// A runner could not be made for good.
    static func unrunnable(_ failure: Failure, image: String) -> String {
        switch failure.errorCode {
        case .imageMissing:
            fit("image '\(image)' is not on this engine; import or pull it")
        case .imageRefused:
            fit("image '\(image)' cannot be used: \(failure.text)")
        case .deniedByPolicy:
            fit("this site's policy does not allow such a runner: \(failure.text)")
        case .usernsMissing:
            fit("the engine runs without user namespaces; turn on userns-remap, or allow it for this site")
        case .engineMismatch:
            fit("the engine made something other than was asked for, and it is gone: \(withoutPaths(failure.text))")
        default:
            fit("no runner can be made for it: \(withoutPaths(failure.text))")
        }
    }

    /// A runner cannot be made now.
    static func waitsForEngine(_ failure: Failure) -> String {
        let what =
            failure.errorCode == .engineUnavailable
            ? "the container engine does not answer" : "the container engine did not make a runner"
        return fit("waits: \(what), trying again: \(withoutPaths(failure.text))")
    }

    /// The engine's words tell where things lie on this machine, which is nothing for a job's author; spawnerd's log
    /// has them whole. Of an absolute path the last name stays.
    static func withoutPaths(_ text: String) -> String {
        var (result, word) = ("", "")
        for character in text + " " {
            guard " \t\n\"'`,;()[]{}=:".contains(character) else {
                word.append(character)
                continue
            }
            let names = word.split(separator: "/")
            // What follows a colon at once is the rest of an address.
            let isPath = word.hasPrefix("/") && !word.hasPrefix("//") && names.count > 1
            result += isPath ? "…/\(names.last ?? "")" : word
            result.append(character)
            word = ""
        }
        return String(result.dropLast())
    }

    /// A device that is free by the books is not.
    static func waitsForDevice(_ failure: Failure) -> String {
        fit("waits: a device is not free yet, trying again: \(failure.text)")
    }

    /// spawnerd makes nothing for us.
    static let superseded = "waits: spawnerd takes no orders from this schedulerd, since one of a later epoch was here"

    /// spawnerd gives no grant to a second container.
    static let grantIsAnothers =
        "waits: its runner's grant is another runner's; it gets another runner and another grant"

    /// brokerd releases nothing now.
    static func waitsForGrant(_ failure: Failure) -> String {
        switch failure.errorCode {
        case .auditFailed: "waits: the audit log cannot be written, and nothing is released without a record"
        case .grantGone: "waits: its runner's grant is gone; it gets another runner"
        default: fit("waits: its secrets are not released, trying again: \(failure.text)")
        }
    }

    /// No runner can be made now, because brokerd has no place for its grant.
    static func waitsForPreparation(_ failure: Failure) -> String {
        fit("waits: brokerd prepares no runner, trying again: \(failure.text)")
    }

    /// A reason that is asked for, in the words of those that are written in a row.
    static func waiting(_ text: String) -> String { fit(text.hasPrefix("waits") ? text : "waits: \(text)") }

    /// Between the order of a container and the runner's first look brokerd wiped what lay there.
    static let keyless = "waits: its runner found no key, because brokerd started anew; it gets another runner"

    /// brokerd releases nothing for this job, now or later.
    static func refusedByBroker(_ failure: Failure) -> String {
        switch failure.errorCode {
        case .notFound: fit("a secret that it names is not there: \(failure.text)")
        case .ticketRefused: fit("its ticket is not good any more: \(failure.text)")
        default: fit("its secrets are not released: \(failure.text)")
        }
    }

    /// A runner was told of the job, and what it was to read is not there.
    static func lostGrant(_ failure: Failure, hasBegun: Bool) -> String {
        hasBegun
            ? fit("brokerd does not stand by its secrets any more, so its log could not be masked: \(failure.text)")
            : fit("its grant was lost before it began: \(failure.text)")
    }

    static let unmaskable =
        "a secret of it was changed while it ran, and brokerd and relayd have started anew since: its log could not be"
        + " masked"

    static func refusedByRelay(_ failure: Failure) -> String {
        failure.place == "source"
            ? "its source archive is no longer in the store"
            : fit("the job was not taken: \(failure.text)")
    }

    /// A container ended under its job. `wasReady`: the runner had said hello.
    static func exited(_ exit: SpawnerEdge.RunnerExit?, memory: UInt64, wasReady: Bool) -> String {
        guard let exit else { return "the runner's container is gone" }
        if exit.outOfMemory {
            return "the job used more than its memory limit of \(size(memory)); raise resources.memory"
        }
        let when = wasReady ? "" : " before it was ready"
        let detail = exit.detail.isEmpty ? "" : ": \(exit.detail)"
        return fit("the runner's container ended\(when) with exit code \(exit.exitCode)\(detail)")
    }

    static func violation(_ text: String) -> String { fit("\(violation): \(text)") }
    static let violation = "the runner broke the protocol"

    static func neverReady(_ limit: Duration) -> String {
        "the runner did not report within \(limit.components.seconds) s of its creation"
    }

    /// `why`: who has cancelled it, if it was no person.
    static func cancelForced(_ grace: UInt32, _ why: String) -> String {
        let begin = why.isEmpty ? "cancelled" : why
        return "\(begin); it did not end within its grace of \(grace) s, and its container was removed"
    }

    static func overdue(_ timeout: UInt32) -> String {
        "its timeout of \(timeout) s passed and the runner did not end it; its container was removed"
    }

    static func damaged(_ what: String) -> String {
        fit("a row of the scheduler's database cannot be read (\(what)); nobody knows how far the job came")
    }

    static let withdrawn = "cancelled before it began"

    /// For a job that a runner reported failed without a word.
    static func failed(_ result: JobResult, steps: [Step]) -> String {
        guard let index = result.failedStep, Int(index) < steps.count else {
            return "failed with exit status \(result.exitCode)"
        }
        let (number, name) = ("step \(index + 1)", steps[Int(index)].name)
        return fit("\(name == number ? number : "step '\(name)'") failed with exit status \(result.exitCode)")
    }

    /// It asks for more than all runners together may have.
    static func neverFits(_ asked: Resources, cpuMillis: UInt64, memory: UInt64) -> String {
        "it asks for \(amount(asked)), and this machine gives \(cpus(cpuMillis)) and \(size(memory)) to all its runners"
            + " together; ask for less"
    }

    static func amount(_ resources: Resources) -> String {
        "\(cpus(UInt64(resources.cpuMillis))) and \(size(resources.memoryBytes))"
    }

    /// `1 GPU`, `2 GPUs`.
    static func count(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }

    static func platforms(_ host: SpawnerEdge.DescribeHost.Reply) -> String {
        host.platforms.map(\.platform.label).joined(separator: ", ")
    }

    static func cpus(_ millis: UInt64) -> String {
        let text = millis % 1000 == 0 ? "\(millis / 1000)" : "\(Double(millis) / 1000)"
        return text == "1" ? "1 CPU" : "\(text) CPUs"
    }

    static func needFailed(_ job: UInt64, _ state: Wire.JobState?) -> String {
        "\(skipped)job \(job), which it needs, \(state.map { "is \($0.label)" } ?? "is forgotten")"
    }

    static let nothingFailed = "\(skipped)it is for when one of the jobs that it needs fails, and all have succeeded"

    static func isSkipped(_ reason: String) -> Bool { reason.hasPrefix(skipped) }
    private static let skipped = "not run: "

    static func replaced(by job: UInt64) -> String { "\(replacedBegin)\(job)\(replacedEnd)" }

    /// Who replaces it, if that is why it ended.
    static func replacer(_ reason: String) -> String? {
        guard reason.hasPrefix(replacedBegin), reason.contains(replacedEnd) else { return nil }
        return String(reason.dropFirst(replacedBegin.count).prefix { $0.isNumber })
    }

    private static let (replacedBegin, replacedEnd) = ("cancelled: job ", " of its group replaces it")

    static func expired(_ seconds: UInt32) -> String {
        "it waited in the queue for longer than its queue_timeout of \(seconds) s"
    }

    static func retries(_ reason: String, attempt: UInt32) -> String {
        fit("attempt \(attempt) follows: \(reason)")
    }

    static func size(_ bytes: UInt64) -> String { Quantity.show(bytes: Int64(clamping: bytes)) }

    /// At most `limit` bytes of UTF-8, cut between characters; without NULs and whatever else is hidden, since it ends
    /// up on somebody's terminal.
    static func fit(_ text: String, limit: Int = 512) -> String {
        var result = ""
        var length = 0
        for scalar in text.unicodeScalars {
            let shown = scalar.isHidden ? " " : scalar
            length += UTF8.width(shown)
            if length > limit { break }
            result.unicodeScalars.append(shown)
        }
        return result
    }
}

extension Platform {
    /// As a job file has it.
    var label: String {
        switch self {
        case .linuxAmd64: "linux/amd64"
        case .linuxArm64: "linux/arm64"
        case .linuxRiscv64: "linux/riscv64"
        }
    }
}
