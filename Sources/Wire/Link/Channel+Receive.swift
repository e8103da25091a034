// From a readable descriptor to handlers and completions.

import Posix
import Wire

extension Channel {
    /// One read, and all the frames that it finished. False: there was nothing, or it is over.
    @discardableResult
    func receive() -> Bool {
        guard isOpen else { return false }
        isCorked = true
        var hasRead = false
        do {
            let outcome = try session.fill { (buffer, offset, fds) throws(PosixError) in
                try transport.read(into: &buffer, at: offset, fds: &fds)
            }
            switch outcome {
            case .bytes:
                hasRead = true
                handleFrames()
            case .endOfFile: goDown(Failure(.disconnected, "the other side has closed"))
            case .wouldBlock: break
            }
        } catch .truncatedDescriptors {
            violation(Failure(.wrongFds, "more descriptors than any message has"))
        } catch {
            goDown(Failure(.disconnected, error.description))
        }
        isCorked = false
        if isOpen && !isEnding && outbound.pending > 0 && !isWaitingToWrite { flush() }
        return hasRead && isOpen
    }

    private func handleFrames() {
        do {
            while isOpen, let event = try session.next() { try handle(event) }
        } catch {
            violation(error)
        }
    }

    private func handle(_ event: consuming SessionEvent) throws(Failure) {
        switch consume event {
        case .request(let request, let fds): try handlers.handle(request, fds, self)
        case .reply(let id, let body, let fds): try complete(id, body, fds)
        case .item(let id, let body, let fds): try item(id, body, fds)
        case .end(let id):
            calls.remove(id)?.end()
            sendWaiting()
        case .error(let id, let failure):
            calls.remove(id)?.fail(failure)
            sendWaiting()
        case .ready: isUp()
        case .goodbye(let failure):
            wasDismissed = true
            goDown(failure)
        case .answerIgnored: sendWaiting()
        case .abandoned(let id, let type): end(id, type)
        }
    }

    private func complete(_ id: UInt64, _ body: Range<Int>, _ fds: consuming FDBundle) throws(Failure) {
        guard let call = calls.remove(id) else { return }
        do {
            try call.reply(session.bytes(body), fds)
        } catch {
            call.fail(Failure(.disconnected, "the answer does not decode: \(error)", place: call.name))
            throw Failure(error.code, error.description, place: call.name)
        }
        sendWaiting()
    }

    private func item(_ id: UInt64, _ body: Range<Int>, _ fds: consuming FDBundle) throws(Failure) {
        guard let index = calls.index(of: id) else { return }
        let stream = calls[index]
        do {
            try stream.item(session.bytes(body), fds)
        } catch {
            throw Failure(error.code, error.description, place: stream.name)
        }
    }
}
