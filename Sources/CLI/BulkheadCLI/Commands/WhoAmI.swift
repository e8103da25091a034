// WhoAmI: what the token at hand may do.

import ArgumentParser
import Foundation

struct WhoAmI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show whose token this is, and what it may do.",
        discussion: """
            EXAMPLES
              bulkhead whoami
              bulkhead whoami --json
            """)

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let data = try await client.send(try client.request("GET", "/whoami"))
            if options.json { return options.printJSON(data) }
            let me = try client.decoded(WhoAmIAnswer.self, data)
            Terminal.print(Terminal.printable(me.name))
            if me.everywhere != "metrics" {
                Terminal.print(
                    "\(me.everywhere) in all projects" + (me.everywhere == "admin" ? ", and of the house" : ""))
            }
            for role in me.roles where role.role != "metrics" {
                Terminal.print("\(role.role) in \(Terminal.printable(role.project))")
            }
            if me.everywhere == "metrics" && !me.roles.contains(where: { $0.role != "metrics" }) {
                Terminal.print("metrics and status alone")
            }
        }
    }
}
