// RequestGuard's outbound half: answers pass in their turn, refusals get theirs, and the last one ends the connection
// so that the client can read it.

import NIOCore
import NIOHTTP1

extension RequestGuard {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOver else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            isAnswering = true
            // Who is told to come again comes on another connection, and behind those that wait for one now.
            if owed == 1, reading == .head, [.tooManyRequests, .serviceUnavailable].contains(head.status) {
                reading = .nothing
            }
            if isLastAnswer { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end: end(context, data, promise)
        }
    }

    /// The answer of the request that is under way, or of the last one, is the last: bytes of a body that nobody read
    /// are never taken for a request.
    private var isLastAnswer: Bool {
        owed <= 1 && (reading != .head || isQuiescing || inputClosed) && refusal == nil
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let isLast = isLastAnswer
        isAnswering = false
        owed -= 1
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(data, promise: written)
        if owed > 0 { return }
        if let refusal { return answer(context, refusal) }
        if isLast { return finish(context, after: written.futureResult) }
        guard reading == .head else { return }
        // Until the answer is in the kernel's hands the client is not the slow one, or it does not read.
        arm(context, limits.stallDeadline)
        written.futureResult.assumeIsolated().whenSuccess {
            if self.owed == 0 && self.reading == .head { self.arm(context, self.limits.headerDeadline) }
        }
    }

    /// Answers what must not be answered otherwise; nothing that follows from this client is looked at.
    func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus) {
        switch reading {
        case .nothing: return
        case .head:
            reading = .nothing
            disarm()
            if owed == 0 { answer(context, status) } else { refusal = status }
        case .body:
            // The request under way is the broken one. Its answer, if it has not begun and is next, is this.
            if owed == 1 && !isAnswering { answer(context, status) } else { finish(context) }
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus) {
        let problem = APIFailure.refusal(status: Int(status.code), reason: status.reasonPhrase)
        let body = context.channel.allocator.buffer(bytes: problem.body)
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": String(body.readableBytes), "Connection": "close",
            "Server": "bulkhead",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        finish(context, after: written.futureResult)
    }

    /// Nothing more goes out, or comes in. `written`: when the last bytes are in the kernel's hands.
    func finish(_ context: ChannelHandlerContext, after written: EventLoopFuture<Void>? = nil) {
        guard !isOver else { return }
        isOver = true
        breakBody(context)
        reading = .nothing
        arm(context, limits.stallDeadline)
        let written = written ?? context.eventLoop.makeSucceededVoidFuture()
        written.assumeIsolated().whenComplete { _ in self.linger(context) }
    }

    /// A close with unread bytes would reset the connection, and the client might never see its answer: so only our
    /// half is closed, and what still comes is thrown away for a moment.
    private func linger(_ context: ChannelHandlerContext) {
        if inputClosed { return context.close(promise: nil) }
        arm(context, limits.lingerDeadline)
        context.close(mode: .output, promise: nil)
        context.read()
    }

    /// Whoever is done with the connection before its last bytes are out may not cut them off.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if isOver && mode == .output {
            promise?.succeed()
        } else {
            context.close(mode: mode, promise: promise)
        }
    }
}
