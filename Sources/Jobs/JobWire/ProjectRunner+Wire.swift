// A runner at GitLab in the words of the wire: the CLI seals its hash, schedulerd says it, courierd goes by it, and
// brokerd compares; one code, so that all come to the same bytes.

import JobModel
package import ProjectModel
package import Wire

extension ProjectRunner {
    package var rule: RunnerRule {
        RunnerRule(
            registration: RunnerRegistration(
                tags: tags, runUntagged: runUntagged, own: registration == .runner, protectedOnly: protectedOnly),
            shape: job.wireShape, images: images.map(\.text), timeoutSeconds: job.timeout,
            priority: job.schedule.priority)
    }
}
