// Why an errand came to nothing, as schedulerd is told it: `later` where another try may help, with the forge's own
// time if it names one. No word of it comes from a forge, and none is a token's.

import Errands
import ForgeCalls
import ForgeModel
import Link
import Outbound
import Posix
import Secret
import SourceArchive
import Wire

extension Failure {
    /// A value that cannot be held.
    static func secret<R: ~Copyable>(_ body: () throws(SecretError) -> R) throws(Failure) -> R {
        do { return try body() } catch { throw Failure(.internal, "\(error)", place: "token") }
    }

    /// `missing`: what is not there if the forge says so; empty: it could be more than one thing.
    init(_ failure: ErrandFailure, _ place: CourierEdge.ForgePlace, missing: String, archive: ArchiveFile?) {
        switch failure {
        case .forge(.missing) where !missing.isEmpty:
            let path = place.repository.path
            let repository = path == Repository.unknownPath ? "the repository" : path
            self.init(.notFound, "\(repository) has no \(missing), or hides it from this token", place: "forge")
        case .forge(let problem): self.init(problem, place.project)
        // The sink's own word says why it wanted no more.
        case .outbound(let failure) where failure.reason == .stopped:
            if let problem = archive?.problem {
                self.init(problem)
            } else {
                self.init(.forgeRefused, "\(failure)", place: "forge")
            }
        case .outbound(let failure): self.init(failure)
        case .later(let wait):
            let seconds = max(1, wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0))
            self.init(.forgeUnavailable, "the forge wants to be asked again in \(seconds) s", place: "forge")
        }
    }

    private init(_ failure: OutboundFailure) {
        switch failure.reason {
        case .timeout, .transfer, .cancelled: self.init(.forgeUnavailable, "\(failure)", place: "forge")
        case .tooLarge, .headersTooLarge: self.init(.tooLarge, "\(failure)", place: "forge")
        case .unknownOrigin, .malformed, .refusedAddress, .certificate, .stopped:
            self.init(.forgeRefused, "\(failure)", place: "forge")
        }
    }

    private init(_ problem: ForgeProblem, _ project: String) {
        let token = "set another: `bulkhead secret set \(project) forge-token`"
        switch problem {
        case .unsupported: self.init(.invalid, "this forge has no such thing", place: "forge")
        case .unusable(let what): self.init(.invalid, "this cannot be said to the forge", place: what)
        case .unauthorized: self.init(.unauthorized, "the forge does not take the token; \(token)", place: "token")
        case .forbidden: self.init(.unauthorized, "the token may not do this; \(token)", place: "token")
        case .missing: self.init(.notFound, "the forge has no such thing, or hides it from this token", place: "forge")
        case .conflict: self.init(.conflict, "the forge has it in another state", place: "forge")
        case .refused(let status): self.init(.forgeRefused, "the forge answers \(status)", place: "forge")
        case .broken(let status): self.init(.forgeUnavailable, "the forge answers \(status)", place: "forge")
        case .redirected:
            self.init(
                .forgeRefused, "the forge leads elsewhere: mend the project's `forge.url` and `repository`",
                place: "forge")
        case .document, .field: self.init(.forgeRefused, "its answer cannot be read: \(problem)", place: "forge")
        case .foreign: self.init(.forgeRefused, "it speaks of something else than it was asked", place: "forge")
        case .tooMuch: self.init(.tooLarge, "the forge has more of it than is read", place: "forge")
        }
    }

    init(_ problem: ArchiveProblem) {
        switch problem {
        case .system(let error) where error.isFull:
            self.init(.storageFull, "no space left for archives", place: "archive")
        case .system, .outOfMemory: self.init(.internal, "\(problem)", place: "archive")
        case .tooLarge: self.init(.tooLarge, "\(problem)", place: "archive")
        // It may be whole the next time.
        case .cutShort: self.init(.forgeUnavailable, "\(problem)", place: "archive")
        case .notGzip, .dataAfterEnd, .bomb, .archive, .zip, .severalFiles, .linkAmongFiles:
            self.init(.forgeRefused, "\(problem)", place: "archive")
        }
    }
}
