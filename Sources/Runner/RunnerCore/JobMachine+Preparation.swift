// What has to be there before the first step, and what has to be gone: the source, and the grant. The grant's directory
// can be read by whatever runs in the container, so with or without secrets, no step begins before it was seen empty.

import Wire

/// How long a job waits for brokerd, in milliseconds.
package struct GrantLimits: Sendable {
    /// Until the grant of a job with secrets is there.
    package var arrival: UInt64 = 30_000
    /// Until the directory is empty.
    package var wipe: UInt64 = 15_000

    package init() {}
}

extension JobMachine {
    /// What the machine's owner is to look for in the grant's directory.
    package enum Awaited: Equatable {
        /// A grant: say `grantTaken` or `preparationFailed`.
        case grant
        /// Nothing, in the directory: say `grantWiped`.
        case emptiness
    }

    struct Preparation {
        enum Grant {
            case toBeWritten
            case toBeWiped
            case wiped
        }

        var needsSource: Bool
        var grant: Grant
    }

    package var awaited: Awaited? {
        guard case .preparing(let preparation) = phase else { return nil }
        switch preparation.grant {
        case .toBeWritten: return .grant
        case .toBeWiped: return .emptiness
        case .wiped: return nil
        }
    }

    /// Whether the source is not there yet.
    package var isReceiving: Bool {
        if case .preparing(let preparation) = phase { preparation.needsSource } else { false }
    }

    /// Whether a step of this job names a secret.
    static func needsGrant(_ definition: JobDefinition) -> Bool {
        definition.spec.steps.contains { !$0.secrets.isEmpty }
    }

    mutating func prepare(_ definition: JobDefinition) -> [Action] {
        let needsGrant = JobMachine.needsGrant(definition)
        phase = .preparing(
            Preparation(needsSource: definition.source != nil, grant: needsGrant ? .toBeWritten : .toBeWiped))
        return [.startTimer(.grant, milliseconds: needsGrant ? limits.arrival : limits.wipe), .watchGrant]
    }

    /// All of the source is unpacked, and it is the one that the definition names.
    package mutating func sourceReady(files: UInt32, now: UInt64) -> [Action] {
        guard case .preparing(var preparation) = phase, preparation.needsSource else { return [] }
        preparation.needsSource = false
        phase = .preparing(preparation)
        return [.record(.sourceReady(RunnerEdge.SourceReady(files: files)))] + beginIfReady(now: now)
    }

    /// The grant was opened, and is for this job. Now brokerd is told to wipe it.
    package mutating func grantTaken() -> [Action] {
        guard case .preparing(var preparation) = phase, preparation.grant == .toBeWritten else { return [] }
        preparation.grant = .toBeWiped
        phase = .preparing(preparation)
        return [
            .record(.grantTaken(RunnerEdge.GrantTaken())), .startTimer(.grant, milliseconds: limits.wipe), .watchGrant,
        ]
    }

    /// The grant's directory is empty.
    package mutating func grantWiped(now: UInt64) -> [Action] {
        guard case .preparing(var preparation) = phase, preparation.grant == .toBeWiped else { return [] }
        preparation.grant = .wiped
        phase = .preparing(preparation)
        return [.stopTimer(.grant)] + beginIfReady(now: now)
    }

    /// The source cannot be unpacked, the grant is not for this job, or this runner may not run it.
    package mutating func preparationFailed(_ reason: String) -> [Action] {
        guard case .preparing = phase else { return [] }
        return endUnbegun(JobResult(state: .failed, failedStep: nil, exitCode: 0, reason: clipped(reason)))
    }

    private mutating func beginIfReady(now: UInt64) -> [Action] {
        guard case .preparing(let preparation) = phase, !preparation.needsSource, preparation.grant == .wiped else {
            return []
        }
        return advance(to: 0, now: now)
    }
}
