// Which secrets a definition needs: apid asks before it sends a job on, schedulerd before it runs one, the CLI before
// it seals an order.

import JobModel
package import Wire

extension JobDefinition {
    /// The project's secrets that its steps name, sorted, each once. The job's own token is none of them.
    package var secretNames: [String] {
        Set(spec.steps.flatMap(\.secrets).map(\.name)).subtracting([JobFile.jobTokenSecret]).sorted()
    }

    /// Some step is given something: a secret, or the job's token.
    package var needsGrant: Bool { spec.steps.contains { !$0.secrets.isEmpty } }
}
