// RequestGuard: what a stranger's bytes must pass before the router sees a request. NIO has no deadlines, takes several Hosts
// and lets Content-Length travel beside Transfer-Encoding (request smuggling); here that ends the connection.

import NIOCore
import NIOHTTP1

/// Limits of one HTTP connection.
struct HTTPLimits: Sendable {
    /// Bytes of all header lines together.
    var headerBytes = 16 * 1024
    var headerCount = 100
    /// From the connection, or from the last answer, to the end of the request's head.
    var headerDeadline = TimeAmount.seconds(10)
    /// From the head to the end of the body; for an upload, between two pieces of it.
    var bodyDeadline = TimeAmount.seconds(30)
    /// Connections at the same time; further ones wait in the kernel's backlog.
    var connections = 1024
}

/// Sits behind the HTTP decoder, one per connection.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: HTTPLimits
    private var timer: Scheduled<Void>?
    private var isUpload = false
    private var refused = false

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    func channelActive(context: ChannelHandlerContext) {
        arm(context, limits.headerDeadline)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !refused else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let refusal = Self.refusal(of: head) { return refuse(context, refusal) }
            // Uploads are as large as the site allows; what they may not do is stand still.
            isUpload = head.uri == "/sources" || head.uri.hasPrefix("/sources?")
            arm(context, limits.bodyDeadline)
        case .body:
            if isUpload { arm(context, limits.bodyDeadline) }
        case .end:
            timer?.cancel()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { arm(context, limits.headerDeadline) }
        context.write(data, promise: promise)
    }

    /// The decoder's complaints: too many or too long headers, or no HTTP at all.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        refuse(context, parserError == .headerOverflow ? .requestHeaderFieldsTooLarge : .badRequest)
    }

    private func arm(_ context: ChannelHandlerContext, _ deadline: TimeAmount) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: deadline) { context.close(promise: nil) }
    }

    private func refuse(_ context: ChannelHandlerContext, _ status: HTTPResponseStatus) {
        guard !refused else { return }
        refused = true
        timer?.cancel()
        let problem = APIFailure.refusal(status: Int(status.code), reason: status.reasonPhrase)
        let body = context.channel.allocator.buffer(bytes: problem.body)
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": String(body.readableBytes), "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let end = context.eventLoop.makePromise(of: Void.self)
        end.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: end)
    }

    /// Nil for a head that means one thing only, whoever reads it.
    static func refusal(of head: HTTPRequestHead) -> HTTPResponseStatus? {
        let headers = head.headers
        guard head.version.major == 1 else { return .httpVersionNotSupported }
        guard headers["Host"].count == 1, head.uri.hasPrefix("/") else { return .badRequest }
        let (lengths, encodings) = (headers["Content-Length"], headers["Transfer-Encoding"])
        guard lengths.count <= 1, encodings.count <= 1, lengths.isEmpty || encodings.isEmpty else { return .badRequest }
        if let encoding = encodings.first, encoding.lowercased() != "chunked" { return .notImplemented }
        if let length = lengths.first, UInt64(length) == nil { return .badRequest }
        if headers.contains(name: "Content-Encoding") { return .unsupportedMediaType }
        if headers.contains(name: "Expect"), headers["Expect"] != ["100-continue"] { return .expectationFailed }
        return nil
    }
}
