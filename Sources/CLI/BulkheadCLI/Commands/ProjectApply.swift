// project apply, diff, export, ls, rm: what is in force, and how that is changed.

import ArgumentParser
import Foundation
import JobModel
import ProjectModel
import TrustModel
import Wire
import YAMLDocuments

extension ProjectCommand {
    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put the projects of a file into force.",
            discussion: """
                Each is sealed with your key: neither the API nor the scheduler can change what
                trust depends on. Those that are as they were are left alone; projects that the
                file does not name stay. A change of a project ends what waits for an approval.

                EXAMPLES
                  bulkhead project diff projects.yaml
                  bulkhead project apply projects.yaml
                """)

        @Argument(help: "The file, YAML or JSON; - reads standard input.") var file: String
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let projects = try ProjectCommand.read(file)
                let desk = ProjectDesk(client: try options.client())
                let key = try keys.required(options.files)
                var changes: [[String: String]] = []
                for project in projects {
                    let before = try await desk.project(project.name)
                    let isSame = before?.revision == ProjectDesk.revision(project).hex
                    if !isSame { try await desk.apply(project, key) }
                    let word = isSame ? "unchanged" : before == nil ? "made" : "changed"
                    changes.append(["project": project.name, "change": word])
                    if !options.json { Terminal.print("\(project.name): \(word)") }
                    let secrets = try await desk.client.secrets(of: project.name).map(\.name)
                    if project.wantsHook, !secrets.contains(ForgeSecret.webhookKey.rawValue) { noteKey(project) }
                }
                guard options.json else { return }
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys]
                options.printJSON(try encoder.encode(["projects": changes]))
            }
        }

        private func noteKey(_ project: Project) {
            let name = ForgeSecret.webhookKey.rawValue
            Terminal.note(
                "no webhook of \(project.name) is believed yet: set its key with `bulkhead secret set \(project.name) "
                    + "\(name)`, and send it to \(project.hookPath)")
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what `apply` would change.",
            discussion: """
                Lines that would go begin with -, lines that would come with +. Ends with 0 if
                nothing would change, and with 1 if something would.

                EXAMPLES
                  bulkhead project diff projects.yaml
                """)

        @Argument(help: "The file, YAML or JSON; - reads standard input.") var file: String
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let projects = try ProjectCommand.read(file)
                let desk = ProjectDesk(client: try options.client())
                var changed: [String] = []
                for project in projects {
                    let before = try await desk.project(project.name)
                    guard before?.revision != ProjectDesk.revision(project).hex else { continue }
                    changed.append(project.name)
                    let old = try before?.yaml().split(separator: "\n") ?? []
                    let new = try YAMLText.text(ProjectFile.document([project])).split(separator: "\n")
                    if !options.json { for line in LineDiff.lines(old, new) { Terminal.print(line) } }
                }
                if options.json { options.printJSON(try JSONEncoder().encode(["changed": changed])) }
                if !changed.isEmpty { throw ExitCode(Exit.failure.rawValue) }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the projects in force, as a file that `apply` takes.",
            discussion: """
                EXAMPLES
                  bulkhead project export > projects.yaml
                  bulkhead project export shop
                """)

        @Argument(help: "Projects; without one, all.") var names: [String] = []
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let desk = ProjectDesk(client: try options.client())
                let wanted = names.isEmpty ? try await desk.all().map(\.name) : names
                var documents: [String] = []
                for name in wanted {
                    guard JobFile.isProjectName(name), let found = try await desk.project(name) else {
                        throw CommandFailure(
                            "there is no project '\(Terminal.printable(name))'; `bulkhead project ls` lists them",
                            exit: .failure, code: "not_found")
                    }
                    documents.append(found.document)
                }
                let text = "{\"projects\": [\(documents.joined(separator: ", "))]}"
                if options.json { return options.printJSON(Data(text.utf8)) }
                if documents.isEmpty { return Terminal.note("there are no projects; `project apply` makes them") }
                let yaml = try YAMLText.text(ProjectFile.document(try YAMLSpec.projects(text)))
                Terminal.write(Data(yaml.utf8), to: .standardOutput)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the projects in force.",
            discussion: """
                EXAMPLES
                  bulkhead project ls
                """)

        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                let projects = try await ProjectDesk(client: try options.client()).all()
                if options.json {
                    let encoder = JSONEncoder()
                    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                    encoder.keyEncodingStrategy = .convertToSnakeCase
                    return options.printJSON(try encoder.encode(["projects": projects]))
                }
                guard !projects.isEmpty else {
                    return Terminal.note("there are no projects; `bulkhead project apply FILE` makes them")
                }
                Terminal.table(
                    ["PROJECT", "FORGE", "REPOSITORY", "JOBS", "SET"],
                    projects.map { [$0.name, $0.forge, $0.repository, "\($0.jobs)", $0.setAt] })
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove a project: its webhooks are not believed from then on.",
            discussion: """
                Its jobs and its secrets stay (`bulkhead secret rm`), but for what is for the
                forge: webhook-key, forge-token and app-key go with it.

                EXAMPLES
                  bulkhead project rm shop
                """)

        @Argument(help: "The project.") var name: String
        @OptionGroup var keys: KeyOptions
        @OptionGroup var options: ClientOptions

        func run() async throws {
            try await runReporting(json: options.json) {
                try Secret.check(project: name)
                let desk = ProjectDesk(client: try options.client())
                try await desk.remove(name, try keys.required(options.files))
                if options.json { return Terminal.print(#"{"project":"\#(name)","change":"removed"}"#) }
                Terminal.print("\(name): removed")
            }
        }
    }

    static func read(_ file: String) throws -> [Project] {
        do {
            return try YAMLSpec.projects(try JobFileText.read(file, of: .projects))
        } catch let problems as JobFileProblems {
            throw CommandFailure(problems, file: file == "-" ? "standard input" : file)
        }
    }
}

/// The lines of two texts, with - before those of the first alone and + before those of the second.
enum LineDiff {
    static func lines(_ old: [Substring], _ new: [Substring]) -> [String] {
        let difference = new.difference(from: old)
        let gone = Set(difference.removals.map { change in Self.offset(change) })
        let come = Set(difference.insertions.map { change in Self.offset(change) })
        var (lines, at): ([String], Int) = ([], 0)
        for (index, line) in old.enumerated() {
            if gone.contains(index) {
                lines.append("- \(line)")
                continue
            }
            while at < new.count, come.contains(at) {
                lines.append("+ \(new[at])")
                at += 1
            }
            lines.append("  \(line)")
            at += 1
        }
        return lines + new[at...].map { "+ \($0)" }
    }

    private static func offset(_ change: CollectionDifference<Substring>.Change) -> Int {
        switch change {
        case .insert(let offset, _, _), .remove(let offset, _, _): offset
        }
    }
}
