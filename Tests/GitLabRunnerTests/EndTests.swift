// Every end of a job, and how GitLab hears of it.

import GitLabRunner
import Testing

@Suite struct EndTests {
    static let all = [
        "unknown_failure", "script_failure", "runner_system_failure", "job_execution_timeout", "image_pull_failure",
        "runner_configuration_error", "runner_external_dependency_failure", "runner_interrupted", "job_canceled",
    ]
    static let ends: [(end: JobEnd, now: String?, oldest: String?, code: UInt16?)] = [
        (.succeeded, nil, nil, nil), (.failed(exitCode: 3), "script_failure", "script_failure", 3),
        (.failed(exitCode: 137), "script_failure", "script_failure", 137),
        (.outOfMemory(exitCode: 137), "script_failure", "script_failure", 137),
        (.stepTimedOut, "job_execution_timeout", "job_execution_timeout", nil),
        (.timedOut, "job_execution_timeout", "job_execution_timeout", nil),
        (.cancelledThere, "job_canceled", "script_failure", nil),
        (.cancelledHere, "runner_interrupted", "runner_system_failure", nil),
        (.lost, "runner_system_failure", "runner_system_failure", nil),
        (.imageMissing, "image_pull_failure", "runner_system_failure", nil),
        (.unreachable, "runner_external_dependency_failure", "runner_system_failure", nil),
        (.unsupported, "runner_configuration_error", "runner_system_failure", nil),
        (.malformed, "runner_system_failure", "runner_system_failure", nil),
        (.refused, "runner_configuration_error", "runner_system_failure", nil),
    ]

    @Test func eachEndHasItsWord() {
        for (end, now, oldest, code) in Self.ends {
            let state = FinalState(end, listed: Self.all)
            #expect(state.reason == now, "\(end)")
            #expect((state.isSuccess, state.exitCode) == (end == .succeeded, code), "\(end)")
            #expect(FinalState(end, listed: nil).reason == oldest, "\(end)")
        }
    }

    @Test func onlyWhatIsListedIsSaid() {
        for listed in [[], ["unknown_failure"], ["script_failure", "unknown_failure"], ["job_canceled"], ["nonsense"]] {
            for (end, _, _, _) in Self.ends {
                let reason = FinalState(end, listed: listed).reason
                #expect(reason.map(listed.contains) ?? true, "\(end) \(listed)")
            }
        }
        #expect(FinalState(.lost, listed: ["unknown_failure"]).reason == "unknown_failure")
        #expect(FinalState(.lost, listed: ["script_failure", "unknown_failure"]).reason == "script_failure")
        #expect(FinalState(.lost, listed: []).reason == nil)
    }
}
