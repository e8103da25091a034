// All uploads under way. Talks to schedulerd by way of Relay's handlers, and to apid through pipes.

import Endpoints
import Link
import LogStore
import Posix
import Wire

final class Uploads {
    private let loop: PollLoop
    private let sources: SourceStore
    private let limits: RelayLimits
    private var uploads: [UInt64: Upload] = [:]
    /// Begins anywhere: an id of an earlier relayd names nothing here.
    private var lastID = UInt64.random(in: 0...(UInt64.max >> 1))

    init(loop: PollLoop, sources: SourceStore, limits: RelayLimits) {
        self.loop = loop
        self.sources = sources
        self.limits = limits
    }

    /// Gives the writing end of a new pipe away.
    func open(_ size: UInt64, _ responder: Responder<RelayEdge.OpenUpload.Reply>) {
        guard size > 0 else {
            return responder.fail(Failure(.invalid, "an archive has at least one byte", place: "size"))
        }
        guard size <= limits.sourceBytes else {
            return responder.fail(
                Failure(.tooLarge, "\(size) bytes; this site takes \(limits.sourceBytes) at most", place: "size"))
        }
        guard uploads.values.count(where: \.isOpen) < limits.uploads else {
            return responder.fail(Failure(.limitReached, "\(limits.uploads) uploads are under way already"))
        }
        do {
            let source = try sources.begin(size: size)
            let ends = try Posix.pipe()
            // Only ours: the two ends do not share their flags, and the writer may want to wait.
            try Posix.setNonBlocking(ends.first.raw)
            let sink = try ends.second.duplicate()
            let reading = ends.keepFirst()
            lastID += 1
            uploads[lastID] = try Upload(
                loop: loop, pipe: reading, into: source, idle: limits.uploadIdle, least: limits.uploadLeast,
                expire: { [weak self, id = lastID] in self?.uploads[id] = nil })
            responder.reply(.init(upload: lastID), fd: sink)
        } catch {
            responder.fail(Failure(storing: error))
        }
    }

    func finish(_ id: UInt64, _ responder: Responder<RelayEdge.FinishUpload.Reply>) {
        guard let upload = uploads[id] else {
            return responder.fail(Failure(.notFound, "no such upload", place: "upload"))
        }
        upload.finish(responder)
    }
}
