// Who the runner is inside its container, and what it may do there. A request has no say in it but by the profile and
// by whether there are steps that have to run as another user.

struct Power {
    let owner: UInt32
    /// Sorted.
    let capabilities: [String]
    /// Of /job, before the runner has made its directories in it.
    let jobMode: UInt16

    init(_ profile: RunnerProfile, untrustedSteps: Bool) {
        switch (profile, untrustedSteps) {
        case (.strict, false):
            (owner, capabilities, jobMode) = (1000, [], 0o755)
        case (.strict, true):
            // Enough to start, and to end, processes of two other users, and not to pass by any file's permissions.
            // So even the runner cannot give a directory away: each user's is made by itself, for which /job is open
            // to all until the runner, its owner, closes it before the first step.
            (owner, capabilities, jobMode) = (0, ["CAP_KILL", "CAP_SETGID", "CAP_SETUID"], 0o1777)
        case (.build, _):
            // What package managers need.
            let packages = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]
            (owner, capabilities, jobMode) = (0, packages + ["CAP_KILL", "CAP_SETGID", "CAP_SETUID"], 0o755)
        }
    }
}
