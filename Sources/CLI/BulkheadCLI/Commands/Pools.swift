// Pools: kinds of runners, and how many of each there are.

import ArgumentParser
import Foundation

struct Pools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the pools: interchangeable runners, and the jobs that wait for them.",
        discussion: """
            Runners are interchangeable if image, platform, profile, resources and trust
            are the same. A pool that was used lately keeps some that wait (IDLE), so that
            the next job begins at once; `bulkhead up --help` says how many and how long.

            EXAMPLES
              bulkhead pools
              bulkhead pools --json
            """)

    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let data = try await client.send(try client.request("GET", "/pools"))
            guard !options.json else { return options.printJSON(data) }
            let rows = try client.decoded(PoolList.self, data).pools.map { pool in
                [
                    pool.image, pool.platform, pool.profile, pool.trust, pool.resources.shown, String(pool.starting),
                    String(pool.idle),
                    String(pool.busy), String(pool.waiting), pool.trouble,
                ]
            }
            let header = [
                "IMAGE", "PLATFORM", "PROFILE", "TRUST", "SIZE", "STARTING", "IDLE", "BUSY", "WAITING", "TROUBLE",
            ]
            Terminal.table(header, rows)
        }
    }
}
