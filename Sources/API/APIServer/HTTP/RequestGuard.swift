// RequestGuard: what a stranger's bytes must pass before the router sees a request, and what the connection may cost
// in time. NIO has no deadlines, and answers to half requests are easy to get wrong; here are the rules, in one
// place:
//
//   - one timer, for what is awaited now: a head, a body, the client's reading, its end. None while we work.
//   - what is refused is answered once, in its turn, and nothing after it means anything.
//   - a body that did not end well is an error for whoever reads it: half a request is never acted on.

import NIOCore
import NIOExtras
import NIOHTTP1

/// The body ended before its end: the client left, was too slow, or sent too much.
struct BrokenBody: Error {}

/// Sits behind the HTTP decoder, one per connection. Lives on its event loop.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the next bytes of the client are.
    enum Reading {
        case head, body
        /// Nobody looks at them: the last request has been read, or one was refused.
        case nothing
    }

    let limits: HTTPLimits
    var reading = Reading.head
    /// Requests read, or begun, whose answer has not ended.
    var owed = 0
    /// The head of an answer is written, its end is not.
    var isAnswering = false
    /// Waits for the answers before it.
    var refusal: HTTPResponseStatus?
    /// The service stops: what is owed is still answered.
    var isQuiescing = false
    /// The last answer has been written, or there will be none.
    var isOver = false
    var inputClosed = false
    private var isUpload = false
    private var isLastRequest = false
    private var bodyBytes = 0
    private var bodyLimit = 0
    private var timer: Scheduled<Void>?
    private var stall: Scheduled<Void>?

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    func channelActive(context: ChannelHandlerContext) {
        arm(context, limits.headerDeadline)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        disarm()
        stall?.cancel()
        breakBody(context)
        isOver = true
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if reading == .nothing { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let status = HeadCheck.refusal(of: head, limits: limits) { return refuse(context, status) }
            begin(context, head)
        case .body(let piece):
            bodyBytes += piece.readableBytes
            // Uploads are as large as the site allows; what they may not do is stand still.
            if isUpload {
                arm(context, limits.bodyDeadline)
            } else if bodyBytes > bodyLimit {
                return refuse(context, .payloadTooLarge)
            }
        case .end:
            disarm()
            reading = isLastRequest || isQuiescing ? .nothing : .head
        }
        context.fireChannelRead(data)
    }

    /// While we only wait for the client's end, nobody further down asks for its bytes.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isOver { context.read() }
        context.fireChannelReadComplete()
    }

    /// The decoder's complaints: too many or too long headers, or no HTTP at all.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        refuse(context, parserError == .headerOverflow ? .requestHeaderFieldsTooLarge : .badRequest)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            inputClosed = true
            if isOver || owed == 0 {
                context.close(promise: nil)
            } else {
                // Nobody can tell a client that has said everything from one that is gone: it gets what is nearly done.
                arm(context, limits.headerDeadline)
            }
        case is ChannelShouldQuiesceEvent:
            isQuiescing = true
            if owed == 0 && !isOver { context.close(promise: nil) }
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        if !context.channel.isWritable { stall = schedule(context, limits.stallDeadline) }
        context.fireChannelWritabilityChanged()
    }

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        reading = .body
        owed += 1
        bodyBytes = 0
        isUpload = HeadCheck.isUpload(head)
        bodyLimit = HeadCheck.bodyLimit(head, limits)
        isLastRequest = !head.isKeepAlive
        arm(context, limits.bodyDeadline)
        if HeadCheck.expectsContinue(head) && owed == 1 {
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        }
    }
}

// MARK: time

extension RequestGuard {
    func arm(_ context: ChannelHandlerContext, _ deadline: Duration) {
        timer?.cancel()
        timer = schedule(context, deadline)
    }

    func disarm() {
        timer?.cancel()
        timer = nil
    }

    private func schedule(_ context: ChannelHandlerContext, _ deadline: Duration) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: deadline.timeAmount) {
            self.breakBody(context)
            context.close(promise: nil)
        }
    }

    /// Whoever reads the body of the request under way is told that its end will not come.
    func breakBody(_ context: ChannelHandlerContext) {
        guard reading == .body else { return }
        reading = .nothing
        context.fireErrorCaught(BrokenBody())
    }
}
