import Daemon
import Testing

extension Base {
    @Suite struct ConfigurationTests {
        let keys: [Key] = [
            .required("store", .path, "Where the logs are."),
            .required("schedulerd-uid", .uid, "Who may call."),
            .defaulted("grace", .int(0...3600, unit: "seconds"), "10", "Between SIGTERM and SIGKILL."),
            .defaulted("allow-no-userns", .bool, "false", "Accept an engine without user namespaces."),
            .optional("images", .list, "What may run."),
            .optional("title", .string, "A name."),
            .defaulted("log-level", .choice(["debug", "info"]), "info", "How much."),
        ]

        @Test func goodOnesAreRead() throws {
            let read = try Configuration.parse(
                ["--store", "/a b", "--schedulerd-uid=7702", "--images", "x:1,y", "--allow-no-userns", "true"],
                keys: keys)
            #expect(read.path("store") == "/a b")
            #expect(read.uid("schedulerd-uid") == 7702)
            #expect(read.int("grace") == 10)
            #expect(read.bool("allow-no-userns"))
            #expect(read.list("images") == ["x:1", "y"])
            #expect(read.optionalString("title") == nil)
            #expect(read.string("log-level") == "info")
        }

        @Test func usersAreNumbers() throws {
            let error = #expect(throws: ConfigurationError.self) {
                try Configuration.parse(["--store", "/a", "--schedulerd-uid", "root"], keys: keys)
            }
            #expect(error?.problems == ["--schedulerd-uid: must be a user's number, but it is `root`"])
        }

        @Test func allMistakesAreReportedAtOnce() {
            let arguments = [
                "--store", "relative", "--schedulerd-uid", "4294967295", "--grace", "3601", "--allow-no-userns", "yes",
                "--stoer", "/x",
                "stray", "--log-level", "loud", "--title", "--images", ",",
            ]
            let error = #expect(throws: ConfigurationError.self) { try Configuration.parse(arguments, keys: keys) }
            #expect(
                error?.problems == [
                    "--store: must be an absolute path, but it is `relative`",
                    "--schedulerd-uid: must be a user's number, but it is `4294967295`",
                    "--grace: must be a number of seconds from 0 to 3600, but it is `3601`",
                    "--allow-no-userns: must be true or false, but it is `yes`",
                    "--stoer: is unknown",
                    "stray: is not a setting; settings are `--name value`",
                    "--log-level: must be one of debug, info, but it is `loud`",
                    "--title: needs a value",
                    "--images: must not be empty, but it is `,`",
                ])
        }

        @Test func missingAndRepeatedOnesAreMistakes() {
            let error = #expect(throws: ConfigurationError.self) {
                try Configuration.parse(["--grace", "1", "--grace", "2"], keys: keys)
            }
            #expect(
                error?.problems == [
                    "--grace: is given twice", "--store: is missing", "--schedulerd-uid: is missing",
                ])
        }

        @Test func helpNamesEveryKeyWithItsUnit() {
            let error = #expect(throws: ConfigurationError.self) { try Configuration.parse(["--help"], keys: keys) }
            #expect(error?.wantsHelp == true)
            let text = Configuration.helpText("bulkhead-test", about: "tests", keys: keys)
            for key in keys { #expect(text.contains("  --\(key.name) ")) }
            #expect(
                text.contains("--grace SECONDS\n      Between SIGTERM and SIGKILL. (0 to 3600 seconds; default: 10)\n"))
            #expect(text.contains("(required)"))
        }

        @Test func aWrongCommandLineExitsWith64() async {
            await #expect(processExitsWith: .exitCode(64)) {
                _ = Configuration.read("test", about: "tests", arguments: ["--x"], keys: [])
            }
            await #expect(processExitsWith: .exitCode(0)) {
                _ = Configuration.read("test", about: "tests", arguments: ["--help"], keys: [])
            }
        }
    }
}
