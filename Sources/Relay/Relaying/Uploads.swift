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
    /// Archives that are copied at present.
    private var copies = 0
    /// Begins anywhere: an id of an earlier relayd names nothing here.
    private var lastID = UInt64.random(in: 0...(UInt64.max >> 1))

    init(loop: PollLoop, sources: SourceStore, limits: RelayLimits) {
        self.loop = loop
        self.sources = sources
        self.limits = limits
    }

    /// Gives the writing end of a new pipe away.
    func open(_ size: UInt64, _ responder: Responder<RelayEdge.OpenUpload.Reply>) {
        if let failure = refusal(of: size) { return responder.fail(failure) }
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

    /// Copies a finished archive.
    func store(
        _ archive: consuming FileDescriptor, _ size: UInt64, _ responder: Responder<RelayEdge.StoreArchive.Reply>
    ) {
        if let failure = refusal(of: size) { return responder.fail(failure) }
        do {
            let source = try sources.begin(size: size)
            copies += 1
            ArchiveCopy(loop: loop, file: archive, into: source) { [weak self] result in
                self?.copies -= 1
                switch result {
                case .success(let source): responder.reply(.init(source: source))
                case .failure(let failure): responder.fail(failure)
                }
            }.start()
        } catch {
            responder.fail(Failure(storing: error))
        }
    }

    private func refusal(of size: UInt64) -> Failure? {
        if size == 0 { return Failure(.invalid, "an archive has at least one byte", place: "size") }
        if size > limits.sourceBytes {
            return Failure(.tooLarge, "\(size) bytes; this site takes \(limits.sourceBytes) at most", place: "size")
        }
        if uploads.values.count(where: \.isOpen) + copies >= limits.uploads {
            return Failure(.limitReached, "\(limits.uploads) uploads are under way already")
        }
        return nil
    }
}
