// Deliveries: what webhooks have brought, and what became of it.

import ArgumentParser
import Foundation

struct Deliveries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what webhooks have brought, and which jobs came of it.",
        discussion: """
            Newest first. A webhook that is not listed was not genuine, or did not arrive: the
            broker's log says which, the forge's page of the webhook shows the answer.

            EXAMPLES
              bulkhead deliveries
              bulkhead deliveries --project shop
              bulkhead deliveries --json
            """)

    @Option(help: "Of this project alone.") var project: String?
    @Option(help: ArgumentHelp("How many at most, 1 to 50.", valueName: "number")) var limit = 20
    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard (1...50).contains(limit) else { throw ValidationError("--limit is 1 to 50") }
    }

    func run() async throws {
        try await runReporting(json: options.json) {
            if let project { try Secret.check(project: project) }
            let client = try options.client()
            var query = ["limit": "\(limit)"]
            query["project"] = project
            let data: Data
            do {
                data = try await client.send(try client.request("GET", "/deliveries", query: query))
            } catch let failure as CommandFailure where failure.code == "not_found" {
                throw try await client.noProject(project ?? "")
            }
            let page = try client.decoded(DeliveryPage.self, data)
            if let project, page.deliveries.isEmpty, try await ProjectDesk(client: client).project(project) == nil {
                throw try await client.noProject(project)
            }
            guard !options.json else { return options.printJSON(data) }
            guard !page.deliveries.isEmpty else { return Terminal.note("no webhook has brought anything yet") }
            Terminal.table(
                ["DELIVERY", "PROJECT", "RECEIVED", "STATE", "WHAT", "JOBS"],
                page.deliveries.map {
                    [
                        "\($0.id)", $0.project, $0.receivedAt, $0.state, $0.what,
                        $0.jobs.map(String.init).joined(separator: " "),
                    ]
                })
            for delivery in page.deliveries where !delivery.text.isEmpty {
                Terminal.note("\(delivery.id): \(Terminal.printable(delivery.text))")
            }
        }
    }
}

struct DeliveryPage: Decodable {
    struct Delivery: Decodable {
        let id: UInt64
        let project: String
        let receivedAt: String
        let state: String
        let what: String
        let text: String
        let jobs: [UInt64]
    }

    let deliveries: [Delivery]
}
