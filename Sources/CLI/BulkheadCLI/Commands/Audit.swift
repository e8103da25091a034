// Audit: whether the broker's log of what it released has been tampered with.

import ArgumentParser
import Foundation

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the broker's audit log.", subcommands: [Verify.self])

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the chain of hashes of an audit log.",
            discussion: """
                Prints how many records there are and the last one's hash: note it elsewhere,
                and a log that was cut short or written anew is found out later. Ends with 1,
                and the line, if a record was changed, removed or added.

                EXAMPLES
                  bulkhead audit verify /var/lib/bulkhead/brokerd/audit.log
                """)

        @Argument(help: "The log; bulkhead-brokerd keeps it as audit.log in its state directory.") var file: String
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            try reporting(json: json) {
                let found = try AuditFile.verify(file)
                if json {
                    Terminal.print(#"{"records":\#(found.records),"last":"\#(found.last)"}"#)
                } else {
                    Terminal.print("\(found.records) records, unbroken; the last hash is \(found.last)")
                }
            }
        }
    }
}
