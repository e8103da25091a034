// Sources: the tree of exactly one commit, as relayd and the runner want it.

import ForgeCalls
import ForgeModel
import Link
import Outbound
import SourceArchive
import Wire

extension Courier {
    func fetchSource(_ request: CourierEdge.FetchSource, _ responder: Responder<CourierEdge.FetchSource.Reply>) {
        let archive = ArchiveFile(in: settings.state, limits: ArchiveLimits(size: settings.sourceBytes))
        let time = min(settings.archiveTime, responder.remaining ?? settings.archiveTime)
        let purpose = Visit.Purpose(
            call: { (repository) throws(Failure) in .archive(repository, try Commit(named: request.commit)) },
            // Compressed, it is not larger than unpacked.
            limits: TransferLimits(body: settings.sourceBytes, total: time), time: time, archive: archive)
        visit(request.place, responder, purpose) { [self] result in
            do throws(ArchiveProblem) {
                guard case .archive = result else { return unexpected(responder, request.place) }
                let made = try archive.finish()
                guard let sha = Bytes32(bytes: made.sha256) else { return unexpected(responder, request.place) }
                state(archive, Source(sha256: sha, size: made.size), request, responder)
            } catch {
                fail(responder, request.place, Failure(error))
            }
        }
    }

    /// brokerd's word goes with the archive: for this commit runs this, and nothing that somebody else stores.
    private func state(
        _ archive: ArchiveFile, _ source: Source, _ request: CourierEdge.FetchSource,
        _ responder: Responder<CourierEdge.FetchSource.Reply>
    ) {
        let statement = ForgeEdge.StateSource(project: request.place.project, commit: request.commit, source: source)
        broker.call(statement) { [weak self] result, _ in
            do throws(ArchiveProblem) {
                switch result {
                case .success(let reply): responder.reply(.init(word: reply.word), fd: try archive.reader())
                case .failure(let failure): self?.fail(responder, request.place, failure)
                }
            } catch {
                self?.fail(responder, request.place, Failure(error))
            }
        }
    }
}
