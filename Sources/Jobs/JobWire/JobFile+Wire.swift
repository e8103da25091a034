// JobFile+Wire: a checked job file in the words of the wire. apid sends what this makes, and the CLI signs the hash of
// what this makes: one code, so that both come to the same bytes. Maps have no order in JSON, so they get one here.

package import JobModel
package import Wire

extension JobFile {
    /// One encoded JobSpec fits every control edge with room for what travels beside it.
    package static let encodedLimit = 48 * 1024

    /// Everything that it says about a container.
    package var wireShape: RunnerShape {
        RunnerShape(
            image: image, platform: platform.wire, profile: profile.wire,
            resources: Wire.Resources(
                cpuMillis: resources.cpuMillis, memoryBytes: resources.memory, pids: resources.pids,
                diskBytes: resources.disk),
            untrustedSteps: steps.contains(where: \.untrusted),
            gpus: resources.gpus == 0 ? nil : GPUs(count: resources.gpus, vendor: resources.gpuVendor?.wire))
    }

    /// When it runs. Needs and tags stand in their order.
    package var wireSchedule: Wire.Schedule {
        Wire.Schedule(
            priority: schedule.priority,
            group: schedule.group.map { Group(name: $0, cancelInProgress: schedule.cancelInProgress) },
            needs: schedule.needs.sorted(), condition: schedule.when.wire, queueTimeoutSeconds: schedule.queueTimeout,
            retries: retries, tags: schedule.tags.sorted())
    }

    /// What the runner executes. Variables and secrets stand in the order of their names.
    package func wireSpec() throws(JobWireError) -> JobSpec {
        let spec = JobSpec(
            name: name, shape: wireShape, timeoutSeconds: timeout, silenceSeconds: silenceTimeout,
            env: env.sorted { $0.name < $1.name }.map { Wire.Variable(name: $0.name, value: $0.value) },
            steps: steps.map(\.wire), artifacts: [])
        let size: Int
        do {
            size = try spec.encoded().count
        } catch {
            throw .outOfBounds(error)
        }
        guard size <= Self.encodedLimit else { throw .tooLarge(size: size, limit: Self.encodedLimit) }
        return spec
    }

    /// All that the job is. SHA-256 of its `encoded()` is what an order and a ticket name.
    package func definition(source: Source?) throws(JobWireError) -> JobDefinition {
        JobDefinition(project: project, spec: try wireSpec(), source: source, schedule: wireSchedule)
    }
}

extension JobFile.Step {
    fileprivate var wire: Wire.Step {
        Wire.Step(
            name: name, run: run, timeoutSeconds: timeout, continueOnError: continueOnError, untrusted: untrusted,
            when: .onSuccess,
            secrets: secrets.sorted { $0.variable < $1.variable }.map {
                Wire.SecretUse(name: $0.name, form: $0.form.wire, variable: $0.variable)
            })
    }
}

extension JobFile.SecretUse.Form {
    fileprivate var wire: SecretForm {
        switch self {
        case .variable: .variable
        case .file: .file
        }
    }
}

extension JobFile.Schedule.Condition {
    fileprivate var wire: Condition {
        switch self {
        case .allSuccess: .allSuccess
        case .anyFailed: .anyFailed
        case .always: .always
        }
    }
}

extension JobFile.GPUVendor {
    fileprivate var wire: Wire.GPUVendor {
        switch self {
        case .nvidia: .nvidia
        case .amd: .amd
        case .intel: .intel
        }
    }
}

extension JobFile.Platform {
    fileprivate var wire: Wire.Platform {
        switch self {
        case .linuxAMD64: .linuxAmd64
        case .linuxARM64: .linuxArm64
        case .linuxRISCV64: .linuxRiscv64
        }
    }
}

extension JobFile.Profile {
    fileprivate var wire: Wire.Profile {
        switch self {
        case .strict: .strict
        case .build: .build
        }
    }
}
