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
    func readJobFile(_ request: CourierEdge.ReadJobFile, _ responder: Responder<CourierEdge.ReadJobFile.Reply>) {
        visit(request.place, responder) { (repository) throws(Failure) in
            .file(repository, path: request.path, try Commit(named: request.commit))
        } then: { [self] result in
            guard case .file(let bytes) = result else { return unexpected(responder, request.place) }
            do throws(Failure) {
                let definition = try definition(of: bytes, request)
                let word = ForgeEdge.StateFile(
                    project: request.place.project, job: request.job, commit: request.commit,
                    definition: try Self.hash(definition))
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
            throw Failure(.tooLarge, "a job file has at most \(settings.fileBytes >> 10) KiB", place: request.path)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.invalid, "is not UTF-8 text", place: request.path)
        }
        var file = ProjectJob.CIFile(path: request.path)
        (file.timeout, file.priority, file.retries) = (request.timeoutSeconds, request.priority, request.retries)
        file.env = request.env.map { JobFile.Variable(name: $0.name, value: $0.value) }
        do {
            let document = try YAMLSpec.document(text, of: .job)
            let job = try file.job(document, name: request.job, of: request.place.project).get()
            return try job.definition(source: nil)
        } catch let problems as JobFileProblems {
            throw Failure(.invalid, problems.summary, place: request.path)
        } catch let error as JobWireError {
            throw Failure(error.code, error.text, place: request.path)
        } catch {
            throw Failure(.internal, "\(error)", place: request.path)
        }
    }

    private static func hash(_ definition: JobDefinition) throws(Failure) -> Bytes32 {
        let input: [UInt8]
        do throws(WireError) {
            input = try GrantFormat.hashInput(definition)
        } catch {
            throw Failure(encoding: error, place: "definition")
        }
        guard let hash = Bytes32(bytes: Array(SHA256.hash(data: input))) else { throw Failure(.internal, "no hash") }
        return hash
    }
}

extension JobFileProblems {
    /// The first mistake with its place and its mend, and how many there are beside it.
    fileprivate var summary: String {
        let others = problems.count + more - 1
        return (problems.first?.description ?? "is no job file") + (others > 0 ? " (and \(others) more)" : "")
    }
}
