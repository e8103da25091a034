// Everything that goes out: our requests, and the answers of Responders and ItemSinks.

import Posix
import Wire

// MARK: requests

extension Channel {
    /// Sends a request, or queues it while the hello or the window is awaited.
    func start(_ request: PendingRequest) {
        guard isOpen else {
            return loop.soon { request.fail(Failure(.disconnected, "the link is down", place: request.name)) }
        }
        if waiting.isEmpty, send(request) { return }
        if waiting.count >= settings.waitingLimit {
            return loop.soon { request.fail(Failure(.limitReached, "too many calls wait", place: request.name)) }
        }
        waiting.append(request)
        watchDeadline(request.deadline)
    }

    /// Sends what waited, as far as the window goes.
    func sendWaiting() {
        if waiting.isEmpty { return }
        while isOpen, let first = waiting.first, send(first) { waiting.removeFirst() }
    }

    /// False: it has to wait. True: it is on its way, or its failure is.
    private func send(_ request: PendingRequest) -> Bool {
        let fds = request.fdCount
        switch session.begin(request.type, fds: fds, deadline: request.deadline) {
        case .wait: return false
        case .refuse(let failure):
            loop.soon { request.fail(failure) }
        case .send(let id):
            let header = FrameHeader(
                type: request.type, kind: .request, requestID: id, bodyLength: 0, fdCount: UInt8(fds),
                deadline: milliseconds(until: request.deadline))
            do {
                try request.append(to: &outbound, header, limit: session.sendLimit)
            } catch {
                session.cancel(id)
                let failure = Failure(encoding: error, place: request.name)
                loop.soon { request.fail(failure) }
                return true
            }
            calls.insert(id, request)
            watchDeadline(request.deadline)
            queued()
        }
        return true
    }

    /// Gives up a request: what has not left never will, and for what has the peer is told. The request is forgotten
    /// here, and its place in the window is free when the terminal frame has come.
    func abandon(_ request: PendingRequest) {
        waiting.removeAll { $0 === request }
        guard isOpen, let id = calls.entries.first(where: { $0.value === request })?.id, session.abandon(id) else {
            return
        }
        calls.remove(id)
        sendControl(Abandon(requestId: id), Abandon.type)
        queued()
    }

    private func milliseconds(until deadline: UInt64) -> UInt32 {
        if deadline == .max { return 0 }
        let now = loop.now
        return UInt32(clamping: max(1, (deadline > now ? deadline - now : 0) / 1_000_000))
    }
}

// MARK: answers

extension Channel {
    /// The successful end of a request.
    func reply<Reply: WireMessage>(_ id: UInt64, _ type: UInt16, _ reply: Reply, _ fds: consuming FDBundle) {
        guard isOpen, session.isOwed(id) else { return }
        let count = fds.count
        guard session.replyFDs(type) == count else {
            return fail(id, type, Failure(.internal, "a reply with \(count) descriptors"))
        }
        let header = FrameHeader(type: type, kind: .reply, requestID: id, bodyLength: 0, fdCount: UInt8(count))
        do {
            try outbound.append(reply, header, limit: session.sendLimit, fds: fds)
        } catch {
            return fail(id, type, Failure(.internal, "the reply does not encode: \(error)"))
        }
        _ = session.finish(id, successfully: true)
        queued()
    }

    /// The unsuccessful end of a request, call or stream.
    func fail(_ id: UInt64, _ type: UInt16, _ failure: Failure) {
        guard isOpen, session.finish(id, successfully: false) else { return }
        let header = FrameHeader(type: type, kind: .error, requestID: id, bodyLength: 0)
        do {
            try outbound.append(failure, header, limit: session.sendLimit)
        } catch {
            // Somebody made a Failure with fields out of bounds; its code still goes out.
            _ = try? outbound.append(Failure(failure.errorCode, ""), header, limit: session.sendLimit)
        }
        streams.remove(id)?.close()
        queued()
    }

    /// One item of a stream. False: the stream is over, or the item did not encode (which ends the stream).
    func item<Item: WireMessage>(
        _ id: UInt64, _ type: UInt16, _ item: Item, _ fds: consuming FDBundle = FDBundle()
    ) -> Bool {
        guard isOpen, session.isOwed(id) else { return false }
        let count = fds.count
        guard session.itemFDs(type) == count else {
            fail(id, type, Failure(.internal, "an item with \(count) descriptors"))
            return false
        }
        let header = FrameHeader(type: type, kind: .item, requestID: id, bodyLength: 0, fdCount: UInt8(count))
        do {
            try outbound.append(item, header, limit: session.sendLimit, fds: fds)
        } catch {
            fail(id, type, Failure(.internal, "the item does not encode: \(error)"))
            return false
        }
        queued()
        return true
    }

    /// The good end of a stream.
    func end(_ id: UInt64, _ type: UInt16) {
        guard isOpen, session.finish(id, successfully: true) else { return }
        let header = FrameHeader(type: type, kind: .end, requestID: id, bodyLength: 0)
        _ = try? outbound.appendEmpty(header, limit: session.sendLimit)
        streams.remove(id)?.close()
        queued()
    }

    func sendControl<Message: WireControl>(_ message: Message, _ type: UInt16) {
        let header = FrameHeader(type: type, kind: .control, requestID: 0, bodyLength: 0)
        _ = try? outbound.append(message, header, limit: session.sendLimit)
    }
}

// MARK: the queue

extension Channel {
    /// Writes at once what the stream takes, before anybody waits for writability; enforces the queue's limit.
    private func queued() {
        if isEnding { return }
        if !isCorked && !isWaitingToWrite { flush() }
        let limit = settings.queueLimit(frameLimit: edge.frameLimit)
        if outbound.pending > limit {
            let failure = Failure(.limitReached, "the other side does not read: \(outbound.pending) bytes wait")
            endSoon(failure, sayingGoodbye: true)
        }
    }

    func flush() {
        do {
            let isEmpty = try outbound.flush { (bytes, fds) throws(PosixError) in try transport.write(bytes, fds: fds) }
            if isEmpty == !isWaitingToWrite { return }
            isWaitingToWrite = !isEmpty
            try transport.wantWritable(!isEmpty)
        } catch {
            outbound = OutboundQueue()
            endAfterLastWords(Failure(.disconnected, error.description))
        }
    }
}
