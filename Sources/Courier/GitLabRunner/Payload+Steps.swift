// The steps of a job. GitLab has put `before_script` in front of `script` already; `after_script` is a step of its own
// that runs always. Each step is a shell of its own, as it is with every runner.

extension Payload {
    static func steps(_ value: PayloadValue, _ limits: PayloadLimits) throws(JobRefused) -> [GitLabJob.Step] {
        var steps: [GitLabJob.Step] = []
        for step in try value.list(limits.steps) {
            let name = try step.member("name").word(limits.nameBytes)
            var lines: [String] = []
            for line in try step.member("script").list(4096) { lines.append(try line.text(limits.scriptBytes)) }
            // A script of nothing, as of a job that only fetches its source.
            if lines.allSatisfy(\.isEmpty) { continue }
            let script = StepScript.text(lines)
            guard script.utf8.count <= limits.scriptBytes else {
                throw .unsupported(
                    "the script of \(JobRefused.shown(name)) has \(script.utf8.count) bytes, with what shows its "
                        + "commands; at most \(limits.scriptBytes) fit: put it into a file")
            }
            let timeout = try step.member("timeout").isNull ? 0 : step.member("timeout").number()
            steps.append(
                GitLabJob.Step(
                    name: name, script: script, timeout: UInt32(clamping: min(timeout, limits.timeout)),
                    when: try when(step.member("when")), allowFailure: try step.member("allow_failure").flag()))
        }
        guard steps.contains(where: { $0.when != .onFailure }) else { throw .unsupported("it has no script") }
        return steps
    }
}

/// A script as `sh -e` gets it: each command is shown before it runs, and a pipe fails where the shell can do that.
enum StepScript {
    static func text(_ lines: [String]) -> String {
        var script = "(set -o pipefail) 2>/dev/null && set -o pipefail\n"
        for line in lines {
            let first = line.utf8.prefix { $0 != UInt8(ascii: "\n") }
            let isLonger = first.count + 1 < line.utf8.count
            script += "printf '%s\\n' \(quoted("$ " + (String(first) ?? "") + (isLonger ? " ..." : "")))\n\(line)\n"
        }
        return script
    }

    /// As one word of a shell, whatever is in it.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "'") { bytes += "'\\''".utf8 } else { bytes.append(byte) }
        }
        bytes.append(UInt8(ascii: "'"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
