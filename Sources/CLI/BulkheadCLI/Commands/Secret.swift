// Secret: setting, listing and removing the secrets of a project, and changing the key that all of them lie under.

import ArgumentParser
import Foundation
import JobModel
import TrustModel
import Wire

struct Secret: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep secrets for jobs.",
        discussion: """
            A value is sealed to the broker before it leaves this program: the API and the
            scheduler carry what they cannot read. No command shows a value again. A job
            gets those that its steps name, if whoever submits it seals the job with a key
            (see `bulkhead submit --help`).

            EXAMPLES
              bulkhead secret set web deploy-token < token
              bulkhead secret ls web
              bulkhead secret rm web deploy-token
            """,
        subcommands: [Set.self, List.self, Remove.self, RotateMaster.self])

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a secret, or replace it.",
            discussion: """
                The value is 1 to 8192 bytes. From standard input or a file it is taken byte
                for byte, a last line break too: `printf %s VALUE |` gives one without. On a
                terminal you are asked for it, what you type is not shown, and the line break
                that ends it does not belong to it. Logs mask values of 4 bytes and more.
                In forge-token and webhook-key line breaks, and spaces where none can be, are
                refused: no forge would agree. app-key is the PEM file of a GitHub App.

                EXAMPLES
                  bulkhead secret set web deploy-token
                  pass show deploy | tr -d '\\n' | bulkhead secret set web deploy-token
                  bulkhead secret set web signing-key --from-file key.pem
                  bulkhead secret set web app-key --from-file app.pem
                """)

        @Argument(help: "The project.") var project: String
        @Argument(help: "The secret's name.") var name: String
        @Option(help: ArgumentHelp("File with the value, taken byte for byte.", valueName: "file"))
        var fromFile: String?
        @Flag(help: "The project is a new one, though its name is nearly that of another.") var new = false
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                try Secret.check(project: project, name: name)
                let client = try options.client()
                let desk = OrderDesk(client: client, key: try keys.required(options.files))
                // A hint is no reason to fail: what is wrong with the API the order itself will meet.
                let isFirst = (try? await client.secrets(of: project).isEmpty) ?? false
                if isFirst && !new { try await client.checkSlip(in: project) }
                var value = try SecretInput.value(file: fromFile, prompt: "value of \(name) in \(project): ")
                defer { value.overwrite() }
                if let mistake = ForgeValue.mistake(in: value, name: name, project: project) {
                    throw CommandFailure(mistake, exit: .usage)
                }
                let body = OrderBody.setSecret(SetSecretOrder(project: project, name: name))
                try await desk.send(body, value: value, repeatable: true)
                options.say("secret \(name) of \(project) is set", project: project, name: name)
                if isFirst && !options.json { Terminal.note("it is the first secret of project '\(project)'") }
                let slip = ProjectHint.question(name, among: ForgeSecret.allCases.map(\.rawValue))
                if ForgeSecret(rawValue: name) == nil, !slip.isEmpty { Terminal.note("\(name) is for jobs\(slip)") }
                if let warning = UnmaskedValue.warning(of: value, name: name) { Terminal.note(warning) }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the secrets of a project: names, never values.",
            discussion: """
                EXAMPLES
                  bulkhead secret ls web
                  bulkhead secret ls web --json
                """)
        @Argument(help: "The project.") var project: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                try Secret.check(project: project)
                let client = try options.client()
                let found = try await client.secrets(of: project)
                guard !options.json else {
                    let encoder = JSONEncoder()
                    encoder.outputFormatting = [.sortedKeys]
                    encoder.keyEncodingStrategy = .convertToSnakeCase
                    return options.printJSON(try encoder.encode(["secrets": found]))
                }
                guard !found.isEmpty else {
                    return Terminal.note("project '\(project)' has no secrets\(try await client.hint(for: project))")
                }
                Terminal.table(["SECRET", "SET", "BY"], found.map { [$0.name, $0.setAt, $0.setBy] })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a secret: jobs that name it are refused from then on.",
            discussion: """
                EXAMPLES
                  bulkhead secret rm web deploy-token
                """)
        @Argument(help: "The project.") var project: String
        @Argument(help: "The secret's name.") var name: String
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                try Secret.check(project: project, name: name)
                let desk = OrderDesk(client: try options.client(), key: try keys.required(options.files))
                let body = OrderBody.removeSecret(RemoveSecretOrder(project: project, name: name))
                try await desk.send(body, repeatable: false)
                options.say("secret \(name) of \(project) is removed", project: project, name: name)
            }
        }
    }

    /// Says what is wrong with a name before anything is typed or sent.
    static func check(project: String, name: String? = nil) throws {
        guard JobFile.isProjectName(project) else {
            throw CommandFailure(
                "'\(Terminal.printable(project))' is not a project's name; use a to z, digits and . _ - and begin with "
                    + "a letter or digit", exit: .usage)
        }
        guard let name else { return }
        guard JobFile.isSecretName(name), name != JobFile.jobTokenSecret else {
            throw CommandFailure(
                name == JobFile.jobTokenSecret
                    ? "'\(name)' is the token that every job can have; choose another name"
                    : "'\(Terminal.printable(name))' is not a secret's name; use letters, digits and . _ - and begin "
                        + "with a letter or digit", exit: .usage)
        }
    }
}

extension ClientOptions {
    /// A sentence for a person; for JSON, what it was about.
    fileprivate func say(_ sentence: String, project: String, name: String) {
        guard json else { return Terminal.print(sentence) }
        // Both names consist of letters that JSON takes as they are.
        Terminal.print(#"{"project":"\#(project)","secret":"\#(name)"}"#)
    }
}
