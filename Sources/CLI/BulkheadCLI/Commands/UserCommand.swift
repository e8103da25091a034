// UserCommand: who may do what. Everything that changes goes to the broker under a seal.

import ArgumentParser
import Foundation
import TrustWire
import Wire

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Say who may do what in which project.",
        discussion: """
            Roles in a project: read sees its jobs, logs and deliveries; write submits, cancels
            and approves, too; admin sets its secrets, its rules and its roles. An admin
            everywhere is one of the house, and makes users. docs/roles.md has every case.

            EXAMPLES
              bulkhead user add alice --public-key 3c59dc048e8850243be8079a5c74d079...
              bulkhead user role alice shop write
              bulkhead user ls
              bulkhead user rm alice
            """,
        subcommands: [Add.self, List.self, Role.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a user.",
            discussion: """
                The public key is what `bulkhead key new` has printed for its owner; without one
                the user can give no orders: no secrets, no approvals, no jobs with secrets.

                EXAMPLES
                  bulkhead user add alice --public-key 3c59dc048e8850243be8079a5c74d079...
                  bulkhead user add auditor --everywhere read
                  bulkhead user add alice --public-key 9f61408e3afb633e50cdf1b20de6f466... --replace
                """)

        @Argument(help: "The user's name.") var name: String
        @Option(help: ArgumentHelp("The public half of the user's key, 64 hexadecimal digits.", valueName: "hex"))
        var publicKey: String?
        @Option(help: "A role in every project: read, write, or admin, who is an admin of the house.")
        var everywhere: String?
        @Flag(help: "The user is there already, and gets this key and access in place of what was; roles stay.")
        var replace = false
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let access = try everywhere.map { try UserCommand.access($0) } ?? .metrics
                let key = try publicKey.map { text in
                    guard let key = Bytes32(hex: text.lowercased()) else {
                        throw CommandFailure(
                            "a public key has 64 hexadecimal digits; `bulkhead key new` prints it", exit: .usage)
                    }
                    return key
                }
                let client = try options.client()
                let isThere = try await client.users().users.contains { $0.name == name }
                guard isThere == replace else {
                    throw CommandFailure(
                        isThere
                            ? "user '\(Terminal.printable(name))' is there already; --replace changes key and access"
                            : "there is no user '\(Terminal.printable(name))' to replace", exit: .failure)
                }
                let desk = OrderDesk(client: client, key: try keys.required(options.files))
                try await desk.send(
                    .setUser(SetUserOrder(name: name, key: key, everywhere: access)), repeatable: true)
                options.say("user \(name) is \(replace ? "changed" : "made")", ["user": name])
                if !options.json && !replace {
                    Terminal.note(
                        "next: a role in a project (`bulkhead user role \(name) PROJECT write`) and a token "
                            + "(`bulkhead token create NAME --user \(name)`)")
                }
            }
        }
    }

    struct Role: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a user a role in a project, or take it.",
            discussion: """
                EXAMPLES
                  bulkhead user role alice shop write
                  bulkhead user role alice shop none
                """)

        @Argument(help: "The user's name.") var name: String
        @Argument(help: "The project.") var project: String
        @Argument(help: "read, write, admin, or none.") var role: String
        @Flag(help: "The project is a new one, though its name is nearly that of another.") var new = false
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                try Secret.check(project: project)
                let access = try role == "none" ? Access.metrics : UserCommand.access(role)
                let client = try options.client()
                let desk = OrderDesk(client: client, key: try keys.required(options.files))
                // What was given by a slip is taken by the same.
                if access > .metrics && !new { try await client.checkSlip(in: project) }
                try await desk.send(
                    .setRole(SetRoleOrder(user: name, project: project, access: access)), repeatable: true)
                let now = access == .metrics ? "no role" : "\(access)"
                options.say(
                    "user \(name) has \(now) in project \(project)",
                    ["user": name, "project": project, "role": role])
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a user: the key and all tokens are dead at once.",
            discussion: """
                Jobs that the user has submitted stay (`bulkhead cancel`).

                EXAMPLES
                  bulkhead user rm alice
                """)

        @Argument(help: "The user's name.") var name: String
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let desk = OrderDesk(client: try options.client(), key: try keys.required(options.files))
                try await desk.send(.removeUser(RemoveUserOrder(name: name)), repeatable: false)
                options.say("user \(name) is removed", ["user": name])
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List users and their roles.",
            discussion: """
                An admin of the house sees all of them; everybody else those with a role in a
                project that he sees.

                EXAMPLES
                  bulkhead user ls
                  bulkhead user ls --project shop
                """)

        @Option(help: "Those with a role in this project alone.") var project: String?
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                var list = try await options.client().users()
                if let project {
                    list.users = list.users.filter { $0.role(in: project) != nil }
                }
                if options.json { return try options.printJSON(list) }
                let rows = list.users.map { user in
                    let roles = user.roles.filter { project == nil || $0.project == project }
                    return [
                        user.name, user.everywhere == "metrics" ? "-" : user.everywhere,
                        roles.isEmpty ? "-" : roles.map { "\($0.project):\($0.role)" }.joined(separator: " "),
                        user.key == nil ? "none" : "yes",
                    ]
                }
                guard !rows.isEmpty else { return Terminal.note("nobody that you can see has a role in it") }
                Terminal.table(["USER", "EVERYWHERE", "ROLES", "KEY"], rows)
            }
        }
    }

    static func access(_ text: String) throws -> Access {
        guard let access = Access.allCases.first(where: { "\($0)" == text && $0 != .metrics }) else {
            throw CommandFailure("'\(Terminal.printable(text))' is no role; they are read, write, admin", exit: .usage)
        }
        return access
    }
}

extension ClientOptions {
    /// A sentence for a person, or what it was about as JSON.
    func say(_ sentence: String, _ fields: [String: String]) {
        guard json else { return Terminal.print(Terminal.printable(sentence)) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        // Strings always encode.
        if let data = try? encoder.encode(fields) { printJSON(data) }
    }

    func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        printJSON(try encoder.encode(value))
    }
}
