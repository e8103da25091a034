// ClientOptions: the options that every command which talks to the API shares.

import ArgumentParser
import Foundation
import Orders

struct ClientOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address of the API; BULKHEAD_URL sets it too.", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "State directory of `bulkhead up`, for its token and key; BULKHEAD_TOKEN goes first.", valueName: "dir"))
    var state: String?

    @Flag(help: "Print JSON: the API's answer, and errors as {\"error\":{\"code\",\"message\",\"exit\"}}.")
    var json = false

    var files: OperatorFiles { OperatorFiles(state: state) }

    func client() throws -> APIClient {
        try APIClient(url: url, files: files)
    }

    /// Prints JSON as it came, but for what would steer a terminal, with a newline.
    func printJSON(_ data: Data) {
        Terminal.print(Terminal.safe(json: String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)))
    }
}

/// For the commands that give orders.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Your key file; BULKHEAD_KEY sets it too. Without either, the admin-key beside the token that is used.",
            valueName: "file"))
    var key: String?

    /// The key file that was named, or the one that lies beside the token in use; nil if there is none. A token from
    /// BULKHEAD_TOKEN may be of another house, so then no file is guessed.
    func path(_ files: OperatorFiles) -> String? {
        let environment = ProcessInfo.processInfo.environment
        if let key { return key }
        if let named = environment["BULKHEAD_KEY"], !named.isEmpty { return named }
        guard (environment["BULKHEAD_TOKEN"] ?? "").isEmpty else { return nil }
        return FileManager.default.isReadableFile(atPath: files.key) ? files.key : nil
    }

    /// nil if there is none at hand.
    func optional(_ files: OperatorFiles) throws -> KeyFile? {
        try path(files).map(OperatorKey.read)
    }

    /// Throws what to do if there is none at hand.
    func required(_ files: OperatorFiles) throws -> KeyFile {
        if let key = try optional(files) { return key }
        throw CommandFailure(
            "this takes a key: give --key FILE or set BULKHEAD_KEY to the admin-key of the house "
                + "(`bulkhead up` leaves it in its state directory, `bulkhead init` in \(OperatorFiles.installed))",
            exit: .unauthorized)
    }
}
