// The wire's states are numbers; which of them are ends, the table of jobs says.

import JobModel
package import Wire

extension Wire.JobState {
    /// A final state never changes.
    package var isFinal: Bool { JobModel.JobState(rawValue: rawValue)?.isFinal ?? false }

    /// The name in documents: `QUEUED`.
    package var label: String { JobModel.JobState(rawValue: rawValue)?.label ?? "\(rawValue)" }
}
