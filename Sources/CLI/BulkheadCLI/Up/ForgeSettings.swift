// ForgeSettings: the words of a person about forges, as the command lines of courierd and schedulerd.

import Foundation

struct ForgeSettings {
    let courierArguments: [String]
    let schedulerArguments: [String]

    init(
        addresses: String?, authorities: String?, publicURL: String?, pollSeconds: String?,
        environment: [String: String]
    ) throws {
        var (courier, scheduler): ([String], [String]) = ([], [])
        if let addresses { courier += ["--forge-addresses", addresses] }
        if let authorities {
            courier += ["--forge-ca", URL(fileURLWithPath: authorities).standardizedFileURL.path]
        }
        if let publicURL { scheduler += ["--public-url", publicURL] }
        if let seconds = pollSeconds ?? environment["RUNNER_POLL_SECONDS"], !seconds.isEmpty {
            guard let number = Int(seconds), (1...86_400).contains(number) else {
                let name = pollSeconds == nil ? "RUNNER_POLL_SECONDS" : "--poll-seconds"
                throw CommandFailure(
                    "\(name) must be a whole number from 1 to 86400, and it is '\(seconds)'", exit: .usage)
            }
            scheduler += ["--poll-seconds", "\(number)"]
        }
        (courierArguments, schedulerArguments) = (courier, scheduler)
    }
}
