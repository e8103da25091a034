// KeyCommand: a person's own key. It is made where its owner is, and only its public half goes anywhere.

import ArgumentParser
import Foundation
import Orders
import Wire

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make a key of your own, for orders that nobody on the way can read or change.",
        discussion: """
            EXAMPLES
              bulkhead key show
              bulkhead key new alice --broker 9f61408e3afb633e50cdf1b20de6f466... --out alice-key
            """,
        subcommands: [New.self, Show.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key, and print its public half for an admin.",
            discussion: """
                The broker's public key is what `bulkhead key show` prints for an admin of the
                house: have it from a person, not from a page. Use the file as BULKHEAD_KEY.

                EXAMPLES
                  bulkhead key new alice --broker 9f61408e3afb633e50cdf1b20de6f466... --out alice-key
                """)

        @Argument(help: "Your name as a user.") var name: String
        @Option(help: ArgumentHelp("The broker's public key, 64 hexadecimal digits.", valueName: "hex"))
        var broker: String
        @Option(help: ArgumentHelp("The file to make; nothing is ever overwritten.", valueName: "file"))
        var out = "bulkhead-key"
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            try reporting(json: json) {
                guard let broker = Bytes32(hex: broker.lowercased()) else {
                    throw CommandFailure(
                        "the broker's public key has 64 hexadecimal digits; `bulkhead key show` prints it", exit: .usage
                    )
                }
                let file = try OperatorKey.parsed(KeyFile.generate(name: name, broker: broker).text, path: out)
                let place = OperatorKey.split(out)
                let folder = try Folder(place.directory)
                guard try !folder.has(place.name) else {
                    throw CommandFailure("\(out) is there already; give another --out", exit: .usage)
                }
                try folder.create(place.name, Array(file.text.utf8), mode: 0o600)
                try KeyCommand.tell(file, json: json)
                if !json {
                    Terminal.note(
                        "\(out) is your key: keep it to yourself. The admin adds its public half: bulkhead user add "
                            + "\(name) --public-key \(file.publicKey.hex)")
                }
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the public halves: your key's, and the broker's, which a new user needs.",
            discussion: """
                EXAMPLES
                  bulkhead key show
                  bulkhead key show --json
                """)

        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() throws {
            try reporting(json: options.json) {
                try KeyCommand.tell(try keys.required(options.files), json: options.json)
            }
        }
    }

    private static func tell(_ file: KeyFile, json: Bool) throws {
        guard json else {
            Terminal.print("name        \(file.name)")
            Terminal.print("public-key  \(file.publicKey.hex)")
            return Terminal.print("broker      \(file.broker.hex)")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let fields = ["name": file.name, "public_key": file.publicKey.hex, "broker": file.broker.hex]
        Terminal.print(String(decoding: try encoder.encode(fields), as: UTF8.self))
    }
}
