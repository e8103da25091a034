// What a job's result says to a person: which step, what happened, and what to change.

import Processes
import Wire

extension JobMachine {
    func outcome(of step: RunningStep, _ status: ExitStatus, outOfMemory: Bool) -> StepOutcome {
        switch step.stopCause {
        case .cancelled, .stopped: .cancelled
        case .stepTimeout, .silence, .jobTimeout: .timedOut
        case nil where status == .exited(0): .succeeded
        case nil: outOfMemory ? .outOfMemory : .failed
        }
    }

    /// `step 2 'test'`; people count from one. A step that its author has not named is called `step 2` already.
    func title(_ index: Int) -> String {
        let (number, name) = ("step \(index + 1)", spec?.steps[index].name ?? "")
        return name == number ? number : "\(number) '\(name)'"
    }

    func reason(_ step: RunningStep, _ outcome: StepOutcome, _ status: ExitStatus) -> String {
        let index = step.index
        switch outcome {
        case .outOfMemory:
            let limit = JobMachine.size(spec?.shape.resources.memoryBytes ?? 0)
            return "\(title(index)) ran out of memory: the memory limit of \(limit) was hit; raise resources.memory"
        case .timedOut where step.stopCause == .silence:
            return "\(title(index)) wrote nothing for \(JobMachine.duration(spec?.silenceSeconds ?? 0))"
        case .timedOut:
            return "\(title(index)) ran longer than \(JobMachine.duration(spec?.steps[index].timeoutSeconds ?? 0))"
        default:
            return "\(title(index)) \(JobMachine.words(status))"
        }
    }

    /// The end of a job that did not come to its own.
    func stoppedResult(_ cause: StopCause, step: Int?, exitCode: UInt16) -> JobResult {
        let place = step.map { "during \(title($0))" } ?? placeWithoutStep
        let (state, reason): (JobState, String) =
            switch cause {
            case .cancelled: (.cancelled, "cancelled \(place)")
            case .stopped:
                (.lost, "the container engine stopped the runner \(place): was the engine stopped or restarted?")
            case .jobTimeout, .stepTimeout, .silence:
                (
                    .timedOut,
                    "the job ran longer than \(JobMachine.duration(spec?.timeoutSeconds ?? 0)); its time ended "
                        + (step == nil ? placeOfPreparation ?? place : place)
                )
            }
        return JobResult(
            state: state, failedStep: step.map { UInt16($0) }, exitCode: exitCode, reason: clipped(reason))
    }

    private var placeWithoutStep: String {
        if case .packing = phase { "while its files were packed" } else { "before the first step" }
    }

    private var placeOfPreparation: String? {
        guard case .preparing(let preparation) = phase else { return nil }
        return preparation.needsSource ? "while the source arrived" : "while it waited for its grant"
    }

    /// Why waiting for the grant ends the job.
    func outOfPatience(_ preparation: Preparation) -> String {
        switch preparation.grant {
        case .toBeWritten: "the grant did not come within \(JobMachine.duration(limits.arrival))"
        case .toBeWiped, .wiped: "the grant was not wiped"
        }
    }

    /// At most so many bytes, cut between characters.
    func clipped(_ text: String, to limit: Int = 512) -> String {
        guard text.utf8.count > limit else { return text }
        var size = 0
        let fitting = text.prefix {
            size += $0.utf8.count
            return size <= limit - 3
        }
        return fitting + "..."
    }

    static func words(_ status: ExitStatus) -> String {
        switch status {
        case .exited(126): "failed with exit code 126 (a command is not executable)"
        case .exited(127): "failed with exit code 127 (a command was not found)"
        case .exited(let code): "failed with exit code \(code)"
        case .signalled(let signal): "was ended by signal \(signal)\(signalName(signal).map { " (\($0))" } ?? "")"
        }
    }

    private static func signalName(_ signal: Int32) -> String? {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
            11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
        ]
        return names[signal]
    }

    /// `64 MiB`, `1 GiB`; bytes where it is not whole.
    static func size(_ bytes: UInt64) -> String {
        if bytes >= 1 << 30 && bytes % (1 << 30) == 0 { return "\(bytes >> 30)GiB" }
        if bytes >= 1 << 20 && bytes % (1 << 20) == 0 { return "\(bytes >> 20)MiB" }
        return "\(bytes) bytes"
    }

    private static func duration(_ milliseconds: UInt64) -> String {
        milliseconds % 1000 == 0 ? duration(UInt32(clamping: milliseconds / 1000)) : "\(milliseconds)ms"
    }

    /// `45s`, `10m`, `1h`.
    static func duration(_ seconds: UInt32) -> String {
        if seconds >= 3600 && seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds >= 60 && seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }
}
