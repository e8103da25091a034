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
                let size = try archive.finish()
                responder.reply(.init(size: size), fd: try archive.reader())
            } catch {
                fail(responder, request.place, Failure(error))
            }
        }
    }
}
