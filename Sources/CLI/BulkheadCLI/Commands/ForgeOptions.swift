// ForgeOptions: what `bulkhead up` is told about forges.

import ArgumentParser
import Foundation

struct ForgeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Networks that are no part of the public internet and have a forge in them, with commas: 10.0.0.0/8.",
            valueName: "a,b"))
    var forgeAddresses: String?

    @Option(
        help: ArgumentHelp(
            "Certificates (PEM) of authorities that are believed for forges, beside the system's.", valueName: "file"))
    var forgeCa: String?

    @Option(
        help: ArgumentHelp(
            "Where people see this house, for the links at forges: https://ci.example.org.", valueName: "url"))
    var publicURL: String?

    @Option(
        help: ArgumentHelp(
            "From one question what is new at a polled forge to the next; RUNNER_POLL_SECONDS sets it too. "
                + "(default: 10)", valueName: "n"))
    var pollSeconds: String?

    func settings() throws -> ForgeSettings {
        try ForgeSettings(
            addresses: forgeAddresses, authorities: forgeCa, publicURL: publicURL, pollSeconds: pollSeconds,
            environment: ProcessInfo.processInfo.environment)
    }
}
