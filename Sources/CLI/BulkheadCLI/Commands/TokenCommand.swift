// TokenCommand: API tokens. They are made here, and the broker hears no more of one than its hash.

import ArgumentParser
import Foundation
import JobModel
import Orders
import Wire

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make API tokens, with a scope and an end.",
        discussion: """
            A token may do what its user may at that moment, and no more than its scope. It is
            shown once, on standard output.

            EXAMPLES
              bulkhead token create laptop > token
              bulkhead token create ci --role write --project shop --expires 30d > token
              bulkhead token create prometheus --role metrics --expires never > token
              bulkhead token ls
              bulkhead token rm laptop
            """,
        subcommands: [Create.self, List.self, Remove.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token and print it.",
            discussion: """
                EXAMPLES
                  bulkhead token create laptop > token
                  bulkhead token create ci --role write --project shop --expires 30d > token
                  bulkhead token create first --user alice > token-of-alice
                """)

        @Argument(help: "A name for it, to know it again.") var name: String
        @Option(help: "Whose token; yours if it is not given. For others: admins of the house.") var user: String?
        @Option(help: "No more than this: metrics (the house's metrics and status), read, write, admin.")
        var role = "admin"
        @Option(help: "In these projects alone; may be given more than once.") var project: [String] = []
        @Option(help: ArgumentHelp("When it ends, from now on: 12h, 30d, or never.", valueName: "time"))
        var expires = "90d"
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                guard let access = Access.allCases.first(where: { "\($0)" == role }) else {
                    throw CommandFailure(
                        "'\(Terminal.printable(role))' is no role; they are metrics, read, write, admin", exit: .usage)
                }
                for name in project { try Secret.check(project: name) }
                let expiresMs = try TokenCommand.end(expires, from: OrderDesk.now)
                let key = try keys.required(options.files)
                let info = TokenInfo(
                    user: user ?? key.name, name: name, access: access, projects: project, expiresMs: expiresMs)
                let token = try HouseKeys.newToken()
                let desk = OrderDesk(client: try options.client(), key: key)
                try await desk.send(
                    .setToken(SetTokenOrder(token: info, hash: Hashes.token(token))), repeatable: false)
                guard !options.json else {
                    return options.say("", ["user": info.user, "name": name, "token": token])
                }
                Terminal.print(token)
                Terminal.note("this is the only time that it is shown; use it as BULKHEAD_TOKEN")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List tokens: what they may do and when they end, never a token.",
            discussion: """
                ROLE is what a token may do now: its user's roles, cut to its SCOPE.

                EXAMPLES
                  bulkhead token ls
                  bulkhead token ls --all
                  bulkhead token ls --user alice --json
                """)

        @Option(help: "Whose; yours if it is not given.") var user: String?
        @Flag(help: "Those of all users; for admins of the house.") var all = false
        @OptionGroup var options: ClientOptions

        func validate() throws {
            if all && user != nil { throw ValidationError("--all and --user: give one of them") }
        }

        func run() async throws {
            try await runReporting(json: options.json) {
                let client = try options.client()
                let users = try await client.users().users
                var list = TokenList(tokens: [])
                for name in all ? users.map(\.name) : [user] {
                    list.tokens += try await client.tokens(of: name).tokens
                }
                if options.json { return try options.printJSON(list) }
                guard !list.tokens.isEmpty else {
                    return Terminal.note("there are none; `bulkhead token create NAME` makes one")
                }
                Terminal.table(
                    ["TOKEN", "USER", "ROLE", "SCOPE", "EXPIRES"],
                    list.tokens.map { token in
                        let owner = users.first { $0.name == token.user }
                        return [
                            token.name, token.user, owner.map(token.role) ?? "none: the user was removed", token.scope,
                            token.expiresAt ?? "never",
                        ]
                    })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a token: it is dead at once.",
            discussion: """
                EXAMPLES
                  bulkhead token rm laptop
                  bulkhead token rm ci --user alice
                """)

        @Argument(help: "The token's name.") var name: String
        @Option(help: "Whose; yours if it is not given.") var user: String?
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let key = try keys.required(options.files)
                let owner = user ?? key.name
                let desk = OrderDesk(client: try options.client(), key: key)
                try await desk.send(.removeToken(RemoveTokenOrder(user: owner, name: name)), repeatable: false)
                options.say("token \(name) of \(owner) is removed", ["user": owner, "name": name])
            }
        }
    }

    /// Milliseconds since 1970; 0: never.
    static func end(_ text: String, from now: Int64) throws -> Int64 {
        if text == "never" { return 0 }
        guard let seconds = Quantity.seconds(text), (1...315_360_000).contains(seconds) else {
            throw CommandFailure(
                "'\(Terminal.printable(text))' is no time from now on; write 12h or 30d, 3650d at most, or never",
                exit: .usage)
        }
        return now + seconds * 1000
    }
}
