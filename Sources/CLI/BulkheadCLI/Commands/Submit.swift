// Submit: a job file, or an image and a command, becomes a job.

import ArgumentParser
import Documents
import Foundation
import JobModel
import Orders
import YAMLDocuments

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Submit a job.",
        discussion: """
            The job file is YAML or JSON: project, name, image, platform, profile,
            resources {cpus, memory, pids, disk, gpus, gpu_vendor}, timeout,
            silence_timeout, priority, group, cancel_in_progress, needs, when,
            queue_timeout, retries, tags, env, steps [{name, run, timeout,
            continue_on_error, untrusted, secrets}]. A step's secrets are {VARIABLE:
            secret} or {VARIABLE: {secret: NAME, as: file}}. Every mistake in it is
            reported at once.

            With a key at hand the job is sealed: what runs, on which source, with which
            secrets. Such a job is trusted, and only such a job gets secrets. Without a
            key, or with --untrusted, it is not trusted.

            EXAMPLES
              bulkhead submit job.yaml --source . --follow
              bulkhead submit change.yaml --source ./pull-request --untrusted
              bulkhead submit --image bulkhead/busybox -- sh -c 'echo hello; exit 3'
            """)

    @Argument(help: "The job file, YAML or JSON; - reads standard input.")
    var file: String?

    @Option(help: "Image of a job without a file; the command follows after --.")
    var image: String?

    @Option(help: ArgumentHelp("Directory whose files become /job/src.", valueName: "dir"))
    var source: String?

    @Option(help: "Project whose secrets the job may name; overrides the file's.")
    var project: String?

    @Flag(help: "Do not trust the job: no order is sealed for it, and it gets no secrets.")
    var untrusted = false

    @Option(help: "Name of the job; overrides the file's.")
    var name: String?

    @Option(help: ArgumentHelp("The same key twice is the same job.", valueName: "key"))
    var requestID: String?

    @Flag(
        name: .shortAndLong,
        help: "Print the log as it grows; end with the job's exit status. Ctrl-C ends the printing, not the job.")
    var follow = false

    @OptionGroup var keys: KeyOptions
    @OptionGroup var options: ClientOptions

    @Argument(parsing: .postTerminator, help: "Command of a job without a file.")
    var command: [String] = []

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let job = try named(jobFile())
            let key = try key(for: job)
            let uploaded = try await upload(client)
            let identifier = requestID ?? UUID().uuidString
            var request = try client.request("POST", "/jobs")
            request.headers["Idempotency-Key"] = identifier
            if let key {
                let definition = try SealedJob.definition(job, source: uploaded)
                let body = try SealedJob.body(definition, requestID: identifier)
                let sealed = try OrderDesk(client: client, key: key).seal(body)
                request.headers[SealedJob.header] = try SealedJob.headerValue(sealed)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let answer = try await client.send(request, json: try encoder.encode(JobRequest(job, source: uploaded)))
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

    /// The job as the command line wants it.
    private func named(_ file: JobFile) throws -> JobFile {
        var job = file
        if let name { job.name = name }
        if let project {
            try Secret.check(project: project)
            job.project = project
        }
        return job
    }

    /// The key that seals the order; nil: the job goes without. Looked for before anything is uploaded.
    private func key(for job: JobFile) throws -> KeyFile? {
        let names = Set(job.steps.flatMap(\.secrets).map(\.name)).subtracting([JobFile.jobTokenSecret]).sorted()
        guard !untrusted else {
            guard names.isEmpty else {
                throw CommandFailure(
                    "the job names secrets (\(names.joined(separator: ", "))), and an untrusted job gets none; "
                        + "leave out --untrusted, or the secrets", exit: .usage)
            }
            return nil
        }
        let key = try keys.optional(options.files)
        guard key != nil || names.isEmpty else {
            throw CommandFailure(
                "the job names secrets (\(names.joined(separator: ", "))), which only a job sealed with a key gets: "
                    + "give --key FILE or set BULKHEAD_KEY to your key file, such as the admin-key of the house",
                exit: .unauthorized)
        }
        return key
    }

    private func jobFile() throws -> JobFile {
        if let file {
            if image != nil && command.isEmpty {
                throw CommandFailure(Bulkhead.terminatorIsMissing, exit: .usage)
            }
            guard image == nil, command.isEmpty else {
                throw CommandFailure("give either a job file or --image with a command, not both", exit: .usage)
            }
            do {
                return try YAMLSpec.jobFile(JobFileText.read(file))
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

    private func upload(_ client: APIClient) async throws -> UploadedSource? {
        guard let source else { return nil }
        let archive = try SourceArchive(of: source)
        if Terminal.isErrorTerminal {
            Terminal.note("uploading \(Quantity.show(bytes: Int64(archive.size))) of source")
        }
        let answer = try await client.upload(
            try client.request("POST", "/sources"), file: archive.file.path, size: archive.size)
        let uploaded = try client.decoded(UploadedSource.self, answer)
        // The order is for what lies here, not for what somebody on the way says that it is.
        guard uploaded == UploadedSource(sha256: try archive.sha256(), size: archive.size) else {
            throw CommandFailure(
                "the server stored another source than was sent (\(Terminal.printable(uploaded.sha256)))",
                exit: .failure)
        }
        return uploaded
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
