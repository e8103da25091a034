// SealedJob: the order that makes a job trusted: who wants exactly this definition run, with which secrets. Sealed
// here, opened by brokerd; the runner compares the definition that it got with the one in the order.

import Foundation
package import JobModel
import JobWire
import Orders
package import Wire

package enum SealedJob {
    /// The definition of a job file and its source. Throws what does not fit, in a person's words.
    package static func definition(_ job: JobFile, source: UploadedSource?) throws -> JobDefinition {
        let archive = try source.map { source in
            guard let hash = Bytes32(hex: source.sha256) else {
                throw CommandFailure("the server named the source '\(source.sha256)'", exit: .failure)
            }
            return Source(sha256: hash, size: source.size)
        }
        do {
            return try job.definition(source: archive)
        } catch {
            throw CommandFailure(
                [error.place, error.text].filter { !$0.isEmpty }.joined(separator: ": "), exit: .usage)
        }
    }

    /// What the order says: a trusted job, bound to its definition, its secrets and its request id.
    package static func body(_ definition: JobDefinition, requestID: String) throws -> OrderBody {
        do {
            return .submit(
                SubmitOrder(
                    project: definition.project, requestId: requestID, trust: .trusted, commit: "",
                    definition: try Hashes.definition(definition), secrets: definition.secretNames))
        } catch {
            throw CommandFailure("the job does not fit the protocol: \(error)", exit: .usage)
        }
    }

    /// The header of `POST /jobs` that carries it.
    static let header = "Bulkhead-Order"

    static func headerValue(_ sealed: SealedOrder) throws -> String {
        do {
            return Data(try sealed.encoded()).base64EncodedString()
        } catch {
            throw CommandFailure("the order does not fit the protocol: \(error)", exit: .usage)
        }
    }
}
