// Doctor: what is missing on the way from nothing to the first green status, each with what mends it.

import ArgumentParser
import Foundation

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Name what is missing until a forge shows the first green status.",
        discussion: """
            In the order of the way: the engine and the daemons, the token, the project, its
            images, keys and secrets, the forge, its webhooks, a job that succeeded. Each
            thing that is missing comes with the command that mends it, or the page to open;
            mend the first one first. Changes nothing. Ends with 0 if nothing is missing, else
            with 1; what cannot be told from here (`unknown`) does not count.

            EXAMPLES
              bulkhead doctor
              bulkhead doctor shop
              bulkhead doctor shop --json
            """)

    @Argument(help: "The project; without one, all.") var project: String?
    @Option(
        help: ArgumentHelp(
            "The container engine's socket, as for `bulkhead up`; asked for images and user namespaces.",
            valueName: "path"))
    var engine: String?
    @OptionGroup var keys: KeyOptions
    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            if let project { try Secret.check(project: project) }
            let examination = try Examination(options, keys, engine: EngineWitness(option: engine))
            try await examination.run(project)
            if options.json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                options.printJSON(
                    try encoder.encode(Report(ok: examination.isWell, findings: examination.findings)))
            } else if examination.isWell {
                Terminal.print("nothing is missing")
            }
            guard examination.isWell else { throw ExitCode(Exit.failure.rawValue) }
        }
    }

    private struct Report: Encodable {
        let ok: Bool
        let findings: [Finding]
    }
}
