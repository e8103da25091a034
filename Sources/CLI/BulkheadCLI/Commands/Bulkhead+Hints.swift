// What the parser of the command line does not say of the commonest slips.

import ArgumentParser
import JobModel

extension Bulkhead {
    /// For arguments that could not be parsed: what was meant, if that can be guessed.
    package static func hint(_ arguments: [String]) -> String? {
        mistypedCommand(arguments) ?? missingTerminator(arguments)
    }

    private static func mistypedCommand(_ arguments: [String]) -> String? {
        var (command, path): (any ParsableCommand.Type, String) = (Bulkhead.self, "bulkhead")
        for argument in arguments {
            let known = command.configuration.subcommands
            if known.isEmpty || argument.hasPrefix("-") { return nil }
            if let next = known.first(where: { name($0) == argument }) {
                (command, path) = (next, "\(path) \(argument)")
            } else if argument != "help" {
                return "'\(Terminal.printable(argument))' "
                    + SpecReader.unknown(argument, among: known.map(name)) + " (`\(path) --help` explains them)"
            } else {
                return nil
            }
        }
        return nil
    }

    private static func name(_ command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? "\(command)".lowercased()
    }

    /// `submit --image X echo hi`: the command looks like more arguments of ours.
    package static func missingTerminator(_ arguments: [String]) -> String? {
        let isOfImage = arguments.contains { $0 == "--image" || $0.hasPrefix("--image=") }
        guard arguments.first == "submit", isOfImage, !arguments.contains("--") else { return nil }
        return terminatorIsMissing
    }

    static let terminatorIsMissing =
        "put -- before the command: bulkhead submit --image IMAGE -- COMMAND; options go before it"
}
