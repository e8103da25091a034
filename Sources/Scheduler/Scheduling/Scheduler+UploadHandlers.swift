// Source archives on their way in. schedulerd authorises; the bytes go from apid to relayd through a pipe that relayd
// made and that only passes through here.

import Link
import Posix
import Store
import TrustWire
import Wire

extension Scheduler {
    func addUploadHandlers(_ handlers: inout Handlers<SchedulerEdge>) {
        handlers.on(SchedulerEdge.OpenUpload.self) { [weak self] request, _, responder in
            self?.admit("open upload", request.token, to: .upload, .house, fail: { responder.fail($0) }) { unit, _ in
                unit.afterCommit { self?.openUpload(request.size, responder) }
            }
        }
        handlers.on(SchedulerEdge.FinishUpload.self) { [weak self] request, _, responder in
            self?.admit("finish upload", request.token, to: .upload, .house, fail: { responder.fail($0) }) { unit, _ in
                unit.afterCommit { self?.finishUpload(request.upload, responder) }
            }
        }
    }

    private func openUpload(_ size: UInt64, _ responder: Responder<SchedulerEdge.OpenUpload.Reply>) {
        if size == 0 || size > SpecCheck.sourceLimit {
            return responder.fail(Failure(.invalid, "not a size", place: "size"))
        }
        relay.openUpload(size: size) { result, fds in self.opened(result, fds, responder) }
    }

    private func finishUpload(_ number: UInt64, _ responder: Responder<SchedulerEdge.FinishUpload.Reply>) {
        guard let upload = uploads.take(number) else {
            return responder.fail(Failure(.notFound, "no such upload", place: "upload"))
        }
        finishing += 1
        relay.finishUpload(upload, deadline: responder.remaining ?? .seconds(600)) { result in
            self.finished(result, responder)
        }
    }

    private func opened(
        _ result: Result<UInt64, Failure>, _ fds: consuming FDBundle,
        _ responder: Responder<SchedulerEdge.OpenUpload.Reply>
    ) {
        switch result {
        case .failure(let failure): responder.fail(Self.refusalByRelay(failure))
        case .success(let relays):
            var fds = fds
            guard let sink = fds.takeFirst() else { return responder.fail(Failure(.internal, "no pipe came")) }
            responder.reply(.init(upload: uploads.open(relays)), fd: sink)
        }
    }

    private func finished(_ result: Result<Source, Failure>, _ responder: Responder<SchedulerEdge.FinishUpload.Reply>) {
        func fail(_ failure: Failure) {
            finishing -= 1
            responder.fail(failure)
        }
        switch result {
        case .failure(let failure): fail(Self.refusalByRelay(failure))
        case .success(let source):
            batch.request("upload", fail: fail) { unit in
                try unit.rows.noteUpload(source, at: unit.house)
                unit.afterCommit {
                    self.finishing -= 1
                    responder.reply(.init(source: source))
                }
            }
        }
    }
}
