// Job files of a repository: read at one commit, to the end of what they mean, and brokerd's word on what that was.

import Crypto
import ForgeCalls
import ForgeModel
import FoundationEssentials
import JobModel
import JobWire
import Link
import ProjectModel
import Wire
import YAMLDocuments

extension Courier {
    /// A branch is looked up here: nobody else says where its head is.
    func readJobFile(_ request: CourierEdge.ReadJobFile, _ responder: Responder<CourierEdge.ReadJobFile.Reply>) {
        if request.branch.isEmpty { return readJobFile(request, at: request.commit, responder) }
        visit(request.place, responder, missing: "branch '\(request.branch)'") { (repository) throws(Failure) in
            .branch(repository, name: request.branch)
        } then: { [self] result in
            guard case .commit(let head) = result else { return unexpected(responder, request.place) }
            readJobFile(request, at: head.hex, responder)
        }
    }

    private func readJobFile(
        _ request: CourierEdge.ReadJobFile, at commit: String, _ responder: Responder<CourierEdge.ReadJobFile.Reply>
    ) {
        let file = "file '\(request.rule.path)' at commit \(commit)"
        visit(request.place, responder, missing: file) { (repository) throws(Failure) in
            .file(repository, path: request.rule.path, try Commit(named: commit))
        } then: { [self] result in
            guard case .file(let bytes) = result else { return unexpected(responder, request.place) }
            do throws(Failure) {
                let definition = try definition(of: bytes, request)
                let word = ForgeEdge.StateFile(
                    project: request.place.project, job: request.job, commit: commit, branch: request.branch,
                    rule: try Self.hash(request.rule), definition: try Self.hash(definition))
                broker.call(word) { [weak self] result, _ in
                    switch result {
                    case .success(let reply): responder.reply(.init(definition: definition, word: reply.word))
                    case .failure(let failure): self?.fail(responder, request.place, failure)
                    }
                }
            } catch {
                fail(responder, request.place, error)
            }
        }
    }

    private func definition(
        of bytes: [UInt8], _ request: CourierEdge.ReadJobFile
    ) throws(Failure) -> JobDefinition {
        guard bytes.count <= settings.fileBytes else {
            throw Failure(.tooLarge, "a job file has at most \(settings.fileBytes >> 10) KiB", place: request.rule.path)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.invalid, "is not UTF-8 text", place: request.rule.path)
        }
        var file = ProjectJob.CIFile(path: request.rule.path)
        (file.timeout, file.priority, file.retries) = (
            request.rule.timeoutSeconds, request.rule.priority, request.rule.retries
        )
        file.env = request.rule.env.map { JobFile.Variable(name: $0.name, value: $0.value) }
        do {
            let document = try YAMLSpec.document(text, of: .job)
            let job = try file.job(document, name: request.job, of: request.place.project).get()
            return try job.definition(source: nil)
        } catch let problems as JobFileProblems {
            throw Failure(.invalid, problems.summary, place: request.rule.path)
        } catch let error as JobWireError {
            throw Failure(error.code, error.text, place: request.rule.path)
        } catch {
            throw Failure(.internal, "\(error)", place: request.rule.path)
        }
    }

    private static func hash(_ definition: JobDefinition) throws(Failure) -> Bytes32 {
        let input: [UInt8]
        do throws(WireError) {
            input = try GrantFormat.hashInput(definition)
        } catch {
            throw Failure(encoding: error, place: "definition")
        }
        return try hash(input)
    }

    private static func hash(_ rule: JobFileRule) throws(Failure) -> Bytes32 {
        let input: [UInt8]
        do throws(WireError) { input = try rule.encoded() } catch { throw Failure(encoding: error, place: "rule") }
        return try hash(input)
    }

    private static func hash(_ input: [UInt8]) throws(Failure) -> Bytes32 {
        guard let hash = Bytes32(bytes: Array(SHA256.hash(data: input))) else { throw Failure(.internal, "no hash") }
        return hash
    }
}

extension JobFileProblems {
    /// The most of them that are told, and in how many bytes: where they are shown there is no room for more.
    private static let (shownAtMost, bytes) = (8, 320)

    /// With places and mends, and how many there are beside those.
    fileprivate var summary: String {
        var shown = problems.first?.description ?? "is no job file"
        var count = 1
        for problem in problems.dropFirst().prefix(Self.shownAtMost - 1) {
            let next = "\(shown); \(problem.description)"
            guard next.utf8.count <= Self.bytes else { break }
            (shown, count) = (next, count + 1)
        }
        let others = problems.count + more - count
        return shown + (others > 0 ? " (and \(others) more)" : "")
    }
}
