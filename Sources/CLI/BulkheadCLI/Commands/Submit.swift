// Submit: a job file, or an image and a command, becomes a job.

import ArgumentParser
import Foundation
import FoundationNetworking
import JobModel

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Submit a job.",
        discussion: """
            The job file is YAML or JSON: name, image, platform, profile, resources {cpus, memory, pids, disk},
            timeout, env, steps [{name, run, timeout, continue_on_error}]. Every mistake in it is reported at once.

            EXAMPLES
              bulkhead submit job.yaml --source . --follow
              bulkhead submit --image bulkhead/busybox -- sh -c 'echo hello; exit 3'
            """)

    @Argument(help: "The job file, YAML or JSON; - reads standard input.")
    var file: String?

    @Option(help: "Image of a job without a file; the command follows after --.")
    var image: String?

    @Option(help: ArgumentHelp("Directory whose files become /job/src.", valueName: "dir"))
    var source: String?

    @Option(help: "Name of the job; overrides the file's.")
    var name: String?

    @Option(help: ArgumentHelp("The same key twice is the same job.", valueName: "key"))
    var requestID: String?

    @Flag(name: .shortAndLong, help: "Print the log as it grows; end with the job's exit status.")
    var follow = false

    @OptionGroup var options: ClientOptions

    @Argument(parsing: .postTerminator, help: "Command of a job without a file.")
    var command: [String] = []

    func run() async throws {
        try await runReporting {
            let client = try options.client()
            var job = try jobFile()
            if let name { job.name = name }
            let uploaded = try await upload(client)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            var request = try client.request("POST", "/jobs")
            request.setValue(requestID ?? UUID().uuidString, forHTTPHeaderField: "Idempotency-Key")
            let answer = try await client.send(request, body: try encoder.encode(JobRequest(job, source: uploaded)))
            let created = try client.decoded(JobCreated.self, answer)
            guard follow else {
                if options.json {
                    options.printJSON(answer)
                } else {
                    Terminal.print("job \(created.id)")
                    Terminal.note("follow it with: bulkhead log \(created.id) -f")
                }
                return
            }
            Terminal.note("job \(created.id)")
            try await JobFollower(client: client, job: created.id, options: options).run()
        }
    }

    private func jobFile() throws -> JobFile {
        if let file {
            guard image == nil, command.isEmpty else {
                throw CommandFailure("give either a job file or --image with a command, not both", exit: .usage)
            }
            do {
                return try YAMLSpec.jobFile(text(of: file))
            } catch let problems as JobFileProblems {
                throw CommandFailure(problems, file: file == "-" ? "standard input" : file)
            }
        }
        guard let image, !command.isEmpty else {
            throw CommandFailure(
                "say what to run: a job file, or --image IMAGE -- COMMAND; see `bulkhead submit --help`", exit: .usage)
        }
        let step = SpecValue(.string(command.map(shellQuoted).joined(separator: " ")))
        let entries = [
            SpecValue.Entry(key: "name", value: SpecValue(.string(String(command[0].prefix(64))))),
            SpecValue.Entry(key: "image", value: SpecValue(.string(image))),
            SpecValue.Entry(key: "steps", value: SpecValue(.list([step]))),
        ]
        do {
            return try JobFile.parse(SpecValue(.map(entries))).get()
        } catch {
            throw CommandFailure(error, file: "command line")
        }
    }

    private func text(of file: String) throws -> String {
        do {
            let data =
                file == "-"
                ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(fileURLWithPath: file))
            guard let text = String(data: data, encoding: .utf8) else {
                throw CommandFailure("\(file) is not UTF-8 text", exit: .usage)
            }
            return text
        } catch let error as CocoaError {
            throw CommandFailure("cannot read \(file): \(error.localizedDescription)", exit: .usage)
        }
    }

    private func upload(_ client: APIClient) async throws -> UploadedSource? {
        guard let source else { return nil }
        let archive = try SourceArchive(of: source)
        if Terminal.isErrorTerminal {
            Terminal.note("uploading \(Quantity.show(bytes: Int64(archive.size))) of source")
        }
        let answer = try await client.upload(try client.request("POST", "/sources"), file: archive.file)
        return try client.decoded(UploadedSource.self, answer)
    }

    private func shellQuoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_-./=:,+@%".utf8.contains(byte)
            }
        }
        return plain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
