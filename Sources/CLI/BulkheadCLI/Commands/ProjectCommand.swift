// ProjectCommand: files of projects. What is wrong with one is told before anybody applies it.

import ArgumentParser
import Foundation
import JobModel
import ProjectModel
import TrustModel
import YAMLDocuments

struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Say what runs for whose events, with which trust.",
        discussion: """
            EXAMPLES
              bulkhead project check projects.yaml
              bulkhead project apply projects.yaml
              bulkhead project ls
            """,
        subcommands: [Check.self, Apply.self, Diff.self, Export.self, List.self, Remove.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a file of projects, without a server.",
            discussion: """
                The file is YAML or JSON, and docs/projects.md explains it. Every mistake in it is
                told at once, with its line. Ends with 0, or with 64 if there is a mistake.

                EXAMPLES
                  bulkhead project check projects.yaml
                  bulkhead project check projects.yaml --print
                  bulkhead project check - --json < projects.yaml
                """)

        @Argument(help: "The file, YAML or JSON; - reads standard input.") var file: String
        @Flag(help: "Print what the file means: templates and environments written out, in one order.")
        var print = false
        @Flag(help: "Print JSON: the projects and their jobs, or the mistakes.") var json = false

        func validate() throws {
            guard !(print && json) else { throw ValidationError("--print and --json exclude each other") }
        }

        func run() throws {
            try reporting(json: json) {
                let text = try JobFileText.read(file, of: .projects)
                let projects: [Project]
                do {
                    projects = try YAMLSpec.projects(text)
                } catch let problems as JobFileProblems {
                    let name = file == "-" ? "standard input" : file
                    guard json else { throw CommandFailure(problems, file: name) }
                    try Terminal.print(ProjectReport(problems).json)
                    throw ExitCode(Exit.usage.rawValue)
                }
                if json {
                    try Terminal.print(ProjectReport(projects).json)
                } else if print {
                    try Terminal.write(Data(YAMLText.text(ProjectFile.document(projects)).utf8), to: .standardOutput)
                } else {
                    for project in projects { Terminal.print(ProjectReport.line(project)) }
                }
            }
        }
    }
}
