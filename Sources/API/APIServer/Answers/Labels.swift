// Labels: the words of the API for the wire's enums.

import FoundationEssentials
import JobModel
import JobWire
import Wire

extension Wire.JobState {
    /// `TIMED_OUT` and the like.
    var label: String {
        switch self {
        case .blocked: "BLOCKED"
        case .held: "HELD"
        case .queued: "QUEUED"
        case .assigned: "ASSIGNED"
        case .running: "RUNNING"
        case .succeeded: "SUCCEEDED"
        case .failed: "FAILED"
        case .cancelled: "CANCELLED"
        case .timedOut: "TIMED_OUT"
        case .lost: "LOST"
        }
    }

    /// Reads a label in either case.
    init?(label: String) {
        guard let state = Self.allCases.first(where: { $0.label == label.uppercased() }) else { return nil }
        self = state
    }

    /// Whether there may be a log.
    var hasBegun: Bool { self == .running || isFinal }
}

extension Wire.RunnerState {
    var label: String {
        switch self {
        case .pending: "PENDING"
        case .provisioning: "PROVISIONING"
        case .idle: "IDLE"
        case .busy: "BUSY"
        case .teardown: "TEARDOWN"
        }
    }
}

extension Wire.StepOutcome {
    var label: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .skipped: "skipped"
        case .timedOut: "timed_out"
        case .cancelled: "cancelled"
        case .outOfMemory: "out_of_memory"
        }
    }
}

extension Wire.Platform {
    var label: String {
        switch self {
        case .linuxAmd64: JobFile.Platform.linuxAMD64.rawValue
        case .linuxArm64: JobFile.Platform.linuxARM64.rawValue
        case .linuxRiscv64: JobFile.Platform.linuxRISCV64.rawValue
        }
    }
}

extension Wire.Profile {
    var label: String { self == .strict ? JobFile.Profile.strict.rawValue : JobFile.Profile.build.rawValue }
}

extension Wire.Condition {
    var label: String {
        switch self {
        case .allSuccess: JobFile.Schedule.Condition.allSuccess.rawValue
        case .anyFailed: JobFile.Schedule.Condition.anyFailed.rawValue
        case .always: JobFile.Schedule.Condition.always.rawValue
        }
    }
}

extension Wire.Trust {
    var label: String {
        switch self {
        case .trusted: "trusted"
        case .approved: "approved"
        case .untrusted: "untrusted"
        }
    }
}

/// RFC 3339 in UTC with milliseconds, from milliseconds since 1970. Seconds and the rest apart: together, as one
/// floating number, they lose the last digit.
func timestamp(_ milliseconds: Int64) -> String {
    let (seconds, rest) = (milliseconds / 1000, max(milliseconds % 1000, 0))
    let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
    return whole.dropLast() + ".\(String(1000 + rest).dropFirst())Z"
}
