// The checks of a job behind the wall. apid and the CLI make them for people, with all mistakes at once; whoever has
// taken apid over meets them again here.

import Link
package import Wire

/// What a job or a runner may ask for at all; the site's policy (spawnerd) may allow less.
package enum SpecCheck {
    /// So that a job fits every control edge.
    package static let encodedLimit = 48 * 1024
    static let cpuMillis: ClosedRange<UInt32> = 10...1_024_000
    static let memory: ClosedRange<UInt64> = (8 << 20)...(16 << 40)
    static let pids: ClosedRange<UInt32> = 4...1_000_000
    static let disk: ClosedRange<UInt64> = (64 << 10)...(16 << 40)
    static let timeout: ClosedRange<UInt32> = 1...(14 * 86_400)
    static let sourceLimit: UInt64 = 1 << 40

    /// Throws `invalid` or `too_large` with the place.
    package static func check(_ spec: JobSpec, source: Source?) throws(Failure) {
        if spec.steps.isEmpty { throw invalid("a job has at least one step", "steps") }
        try check(spec.shape)
        try range(spec.timeoutSeconds, timeout, "timeout")
        for (index, step) in spec.steps.enumerated() {
            if step.run.isEmpty { throw invalid("a step has something to run", "steps[\(index)].run") }
            if step.timeoutSeconds > timeout.upperBound {
                throw invalid("at most \(timeout.upperBound) seconds", "steps[\(index)].timeout")
            }
        }
        try check(spec.env)
        if let source, source.size == 0 || source.size > sourceLimit { throw invalid("not a size", "source.size") }
        guard let bytes = try? spec.encoded() else { throw Failure(.invalid, "a value is out of bounds") }
        if bytes.count > encodedLimit {
            let text = "the job is \(bytes.count) bytes long, \(encodedLimit) are allowed"
            throw Failure(.tooLarge, text, place: "steps")
        }
    }

    package static func check(_ shape: RunnerShape) throws(Failure) {
        // An image's name ends up in the engine's URL and in people's terminals.
        let isPlain = shape.image.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if shape.image.isEmpty || !isPlain { throw invalid("not an image reference", "image") }
        try range(shape.resources.cpuMillis, cpuMillis, "resources.cpus")
        try range(shape.resources.memoryBytes, memory, "resources.memory")
        try range(shape.resources.pids, pids, "resources.pids")
        try range(shape.resources.diskBytes, disk, "resources.disk")
        if shape.resources.diskBytes > shape.resources.memoryBytes {
            throw invalid("the disk lies in memory: it cannot be larger than resources.memory", "resources.disk")
        }
    }

    private static func check(_ env: [Variable]) throws(Failure) {
        var seen: Set<String> = []
        for variable in env {
            let name = Array(variable.name.utf8)
            let isName = name.allSatisfy { $0 == UInt8(ascii: "_") || isLetter($0) || isDigit($0) }
            if !isName || name.first.map(isDigit) ?? true { throw invalid("not a variable's name", "env") }
            // What the runner says of itself in them must not come from a job.
            if variable.name == "BULKHEAD" || variable.name.hasPrefix("BULKHEAD_") {
                throw invalid("'\(variable.name)' is reserved: Bulkhead sets it", "env")
            }
            if !seen.insert(variable.name).inserted { throw invalid("'\(variable.name)' is there twice", "env") }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func range<Number: FixedWidthInteger>(
        _ value: Number, _ range: ClosedRange<Number>, _ place: String
    ) throws(Failure) {
        if !range.contains(value) {
            throw invalid("\(value) is not between \(range.lowerBound) and \(range.upperBound)", place)
        }
    }

    private static func invalid(_ text: String, _ place: String) -> Failure {
        Failure(.invalid, text, place: place)
    }
}
