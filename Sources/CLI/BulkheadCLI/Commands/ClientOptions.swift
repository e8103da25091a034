// ClientOptions: the options that every command which talks to the API shares.

import ArgumentParser
import Foundation

struct ClientOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address of the API; BULKHEAD_URL sets it too.", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "State directory of `bulkhead up`, for its token; BULKHEAD_TOKEN goes first.", valueName: "dir"))
    var state: String?

    @Flag(help: "Print the API's JSON answer.")
    var json = false

    func client() throws -> APIClient {
        try APIClient(url: url, state: state)
    }

    /// Prints JSON as it came, with a newline.
    func printJSON(_ data: Data) {
        Terminal.print(String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines))
    }
}
