// The scripted schedulerd's (and relayd's) side of an upload: a pipe that is read to its end.

import Endpoints
import Link
import Posix
import Wire

extension ScriptedScheduler {
    static let stored = Bytes32(hex: String(repeating: "ab", count: 32))

    static func addUploads(
        _ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>, _ inside: Inside
    ) {
        handlers.on(SchedulerEdge.OpenUpload.self) { request, _, responder in
            script.change { $0.calls.append("OpenUpload") }
            guard request.token == "good" else { return responder.fail(Failure(.unauthorized, "the token is wrong")) }
            if request.size > 1 << 30 { return responder.fail(Failure(.tooLarge, "too large", place: "size")) }
            do {
                let pipe = try Posix.pipe()
                let reader = SharedPipe(try pipe.first.duplicate())
                let writer = try pipe.second.duplicate()
                try Posix.setNonBlocking(reader.end.raw)
                let id = script.change { script in
                    let id = UInt64(script.uploads.count + 1)
                    script.uploads[id] = UploadState(announced: request.size)
                    return id
                }
                inside.pipes[id] = reader
                if script.value.isReadingUploads {
                    try inside.loop.watch(reader.end.raw, .readable) { _ in read(id, script, inside) }
                }
                responder.reply(.init(upload: id), fd: writer)
            } catch {
                responder.fail(Failure(.internal, "\(error)"))
            }
        }
        handlers.on(SchedulerEdge.FinishUpload.self) { request, _, responder in
            script.change { $0.uploads[request.upload]?.isFinished = true }
            inside.finishing[request.upload] = responder
            answer(request.upload, script, inside)
        }
    }

    private static func read(_ id: UInt64, _ script: Watched<Script>, _ inside: Inside) {
        guard let pipe = inside.pipes[id] else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var isOver = false
        do {
            switch try Posix.read(pipe.end.raw, into: &buffer) {
            case .bytes(let count):
                let arrived = Array(buffer[..<count])
                isOver = script.change { script in
                    script.uploads[id]?.bytes += arrived
                    return (script.uploads[id]?.bytes.count ?? 0) > script.uploadLimit
                }
            case .endOfFile: isOver = true
            case .wouldBlock: return
            }
        } catch {
            isOver = true
        }
        guard isOver else { return }
        inside.loop.unwatch(pipe.end.raw)
        inside.pipes[id] = nil
        script.change { $0.uploads[id]?.hasEnded = true }
        answer(id, script, inside)
    }

    private static func answer(_ id: UInt64, _ script: Watched<Script>, _ inside: Inside) {
        guard let upload = script.value.uploads[id], upload.hasEnded else { return }
        guard let responder = inside.finishing.removeValue(forKey: id), let stored else { return }
        if upload.bytes.count > script.value.uploadLimit {
            responder.fail(Failure(.storageFull, "no space left"))
        } else if UInt64(upload.bytes.count) < upload.announced {
            responder.fail(Failure(.incomplete, "\(upload.bytes.count) of \(upload.announced) bytes arrived"))
        } else {
            responder.reply(.init(source: Source(sha256: stored, size: upload.announced)))
        }
    }
}
