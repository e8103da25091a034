// RunnerInfo: what we say of ourselves. A feature that is claimed and not there would run a job as something else; one
// that is there and not claimed lets GitLab keep the job from us.

import ForgeCalls

package struct RunnerInfo: Equatable, Sendable {
    /// What this Bulkhead does of what a job may ask for.
    package static let features: Set<String> = [
        "variables", "raw_variables", "image", "refspecs", "masking", "shared", "artifacts", "artifacts_exclude",
        "upload_multiple_artifacts", "upload_raw_artifacts", "multi_build_steps", "trace_reset", "trace_checksum",
        "trace_size", "cancelable", "cancel_gracefully", "return_exit_code",
    ]

    /// All that gitlab-runner knows, so that what is missing is said and not left open.
    private static let known = [
        "variables", "image", "services", "artifacts", "cache", "fallback_cache_keys", "shared",
        "upload_multiple_artifacts", "upload_raw_artifacts", "session", "terminal", "refspecs", "masking", "proxy",
        "raw_variables", "artifacts_exclude", "multi_build_steps", "trace_reset", "trace_checksum", "trace_size",
        "vault_secrets", "cancelable", "return_exit_code", "service_variables", "service_multiple_aliases",
        "image_executor_opts", "service_executor_opts", "cancel_gracefully", "native_steps_integration",
        "two_phase_job_commit", "job_inputs",
    ]

    package var version = "0.1.0"
    package var architecture = "amd64"
    /// Of the pool, as people see it in GitLab.
    package var executor = "bulkhead"

    package init() {}

    var json: JSONText {
        .map([
            ("name", .text("bulkhead")), ("version", .text(version)), ("platform", .text("linux")),
            ("architecture", .text(architecture)), ("executor", .text(executor)), ("shell", .text("sh")),
            ("features", .map(Self.known.map { ($0, .flag(Self.features.contains($0))) })),
        ])
    }
}

/// What an instance calls itself, for as long as it lives: GitLab counts managers by it. `r_` and twelve characters.
package struct SystemID: Equatable, Sendable {
    package let text: String

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 14, bytes[0] == UInt8(ascii: "r") || bytes[0] == UInt8(ascii: "s"),
            bytes[1] == UInt8(ascii: "_"), bytes[2...].allSatisfy(Self.letters.contains)
        else { return nil }
        self.text = text
    }

    /// From the instance's own random bytes, of which it takes twelve; nil if there are not so many.
    package init?(instance: [UInt8]) {
        guard instance.count >= 12 else { return nil }
        let letters = instance.prefix(12).map { Self.letters[Int($0) % Self.letters.count] }
        text = "r_" + String(decoding: letters, as: UTF8.self)
    }

    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
}
