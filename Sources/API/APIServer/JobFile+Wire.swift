// JobFile+Wire: a checked job file in the words of the wire.

import JobModel
import Wire

extension JobFile {
    /// One encoded JobSpec fits every control edge with room for what travels beside it.
    static let encodedLimit = 48 * 1024

    var wireShape: RunnerShape {
        RunnerShape(
            image: image, platform: platform.wire, profile: profile.wire,
            resources: Wire.Resources(
                cpuMillis: resources.cpuMillis, memoryBytes: resources.memory, pids: resources.pids,
                diskBytes: resources.disk))
    }

    func wireSpec() throws(APIFailure) -> JobSpec {
        let spec = JobSpec(
            name: name, shape: wireShape, timeoutSeconds: timeout,
            env: env.map { Wire.Variable(name: $0.name, value: $0.value) },
            steps: steps.map {
                Wire.Step(name: $0.name, run: $0.run, timeoutSeconds: $0.timeout, continueOnError: $0.continueOnError)
            })
        let size: Int
        do {
            size = try spec.encoded().count
        } catch {
            throw APIFailure(.invalid, "the job does not fit the protocol: \(error)", place: "body")
        }
        guard size <= Self.encodedLimit else {
            throw APIFailure(
                .tooLarge,
                "the job is \(size) bytes long; at most \(Self.encodedLimit) fit: move scripts into the source",
                place: "steps")
        }
        return spec
    }
}

extension JobFile.Platform {
    var wire: Wire.Platform {
        switch self {
        case .linuxAMD64: .linuxAmd64
        case .linuxARM64: .linuxArm64
        case .linuxRISCV64: .linuxRiscv64
        }
    }
}

extension JobFile.Profile {
    var wire: Wire.Profile {
        switch self {
        case .strict: .strict
        case .build: .build
        }
    }
}
