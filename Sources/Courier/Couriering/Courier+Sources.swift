// Sources: the tree of exactly one commit, as relayd and the runner want it.

import ForgeCalls
import ForgeModel
import Link
import Outbound
import SourceArchive
import Wire

extension Courier {
    func fetchSource(_ request: CourierEdge.FetchSource, _ responder: Responder<CourierEdge.FetchSource.Reply>) {
        fetchArchive(request.place, request.commit, responder) { [self] archive, made in
            guard let sha = Bytes32(bytes: made.sha256) else { return unexpected(responder, request.place) }
            state(archive, Source(sha256: sha, size: made.size), request, responder)
        }
    }

    /// The tree of exactly this commit, whole; a failure is answered here.
    func fetchArchive<Reply: WireMessage>(
        _ place: CourierEdge.ForgePlace, _ commit: String, _ responder: Responder<Reply>,
        then finish: @escaping (ArchiveFile, NormalArchive) -> Void
    ) {
        let archive = ArchiveFile(in: settings.state, limits: ArchiveLimits(size: settings.sourceBytes))
        let time = archiveTime(for: responder)
        let purpose = Visit.Purpose(
            call: { (home) throws(Failure) in .archive(home.repository, try Commit(named: commit)) },
            // Compressed, it is not larger than unpacked.
            limits: TransferLimits(body: settings.sourceBytes, total: time), time: time, archive: archive)
        visit(place, responder, purpose) { [self] result in
            do throws(ArchiveProblem) {
                guard case .archive = result else { return unexpected(responder, place) }
                finish(archive, try archive.finish())
            } catch {
                fail(responder, place, Failure(error))
            }
        }
    }

    /// Ours or schedulerd's, whichever is shorter.
    func archiveTime<Reply: WireMessage>(for responder: Responder<Reply>) -> Duration {
        min(settings.archiveTime, responder.remaining ?? settings.archiveTime)
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
