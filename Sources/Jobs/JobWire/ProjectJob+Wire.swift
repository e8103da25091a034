// A job that stands in a file of the repository, in the words of the wire: the CLI seals its hash, schedulerd says it,
// courierd reads by it.

import JobModel
package import ProjectModel
package import Wire

extension ProjectJob.CIFile {
    package var rule: JobFileRule {
        JobFileRule(
            path: path, timeoutSeconds: timeout, priority: priority, retries: retries,
            env: env.map { Variable(name: $0.name, value: $0.value) })
    }
}
