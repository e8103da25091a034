// AcceptPause: nobody is accepted for a moment when there was no descriptor for the last one.

import Logging
import NIOCore
import Posix

/// Of a server channel, next to its socket. A connection that could not be accepted stays in the kernel's queue, so the
/// listener stays readable. NIO's own pause only puts off the next request to read: the one that failed still stands,
/// and is tried at once and for ever. Here nobody looks at the listener meanwhile.
final class AcceptPause: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never

    private let logger: Logger
    private var isPausing = false
    /// Said once, until somebody has been accepted again.
    private var wasSaid = false

    init(logger: Logger) {
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let code = (error as? IOError)?.errnoCode, PosixError.system(call: "accept", errno: code).isOfTheMachine
        else { return context.fireErrorCaught(error) }
        if !wasSaid { logger.warning("clients wait: no connection can be accepted: \(error)") }
        wasSaid = true
        pause(context)
    }

    private func pause(_ context: ChannelHandlerContext) {
        isPausing = true
        watch(context, false)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
            self.isPausing = false
            self.watch(context, true)
        }
    }

    /// A channel that is closed meanwhile refuses, and needs neither.
    private func watch(_ context: ChannelHandlerContext, _ isWatched: Bool) {
        guard context.channel.isActive else { return }
        context.channel.setOption(.autoRead, value: isWatched).whenFailure { [logger] error in
            logger.error("the listener is lost: \(error)")
        }
    }

    func read(context: ChannelHandlerContext) {
        if !isPausing { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        wasSaid = false
        context.fireChannelRead(data)
    }
}
