// InheritedSocketServer: accepts on a listening TCP socket that was passed in. apid never binds: it has neither the
// right to, nor, under systemd, the network. (Hummingbird's own Server binds a host or a path and nothing else.)

import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOPosix
import Synchronization

/// The accepting side.
final class InheritedSocketServer: Sendable {
    private let channel: GuardedHTTPChannel
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    /// Nil when there is nothing to stop any more.
    private let quiescing: Mutex<ServerQuiescingHelper?>

    init(channel: GuardedHTTPChannel, logger: Logger) {
        self.channel = channel
        self.logger = logger
        // One loop thread: apid does little but wait, and each thread costs memory that is never used.
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        quiescing = Mutex(ServerQuiescingHelper(group: group))
    }

    /// Takes ownership of `listener`. Returns after `stop` when all is answered, or when the task is cancelled;
    /// throws if the socket fails. Once only.
    func run(_ listener: CInt) async throws {
        try await serve(listener)
        quiescing.withLock { $0 = nil }
        try await group.shutdownGracefully()
    }

    private func serve(_ listener: CInt) async throws {
        let (limits, logger, channel) = (channel.limits, logger, channel)
        let quiescing = quiescing.withLock { $0 }
        let server = try await ServerBootstrap(group: group)
            .serverChannelInitializer { server in
                server.eventLoop.makeCompletedFuture {
                    let pipeline = server.pipeline.syncOperations
                    try pipeline.addHandler(AcceptPause(logger: logger))
                    if let quiescing {
                        try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: server))
                    }
                    // Pauses accept at the cap: a full house must not spin, and the descriptors must not run out.
                    try pipeline.addHandler(AvailableConnectionsChannelHandler(maxConnections: limits.connections))
                }
            }
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .serverChannelOption(ChannelOptions.maxMessagesPerRead, value: 1)
            .bind(listener, serverBackPressureStrategy: nil) { channel.setup(channel: $0, logger: logger) }
        let executor = LoopExecutor(group.any())
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask(executorPreference: executor) {
                        await channel.handle(value: connection, logger: logger)
                    }
                }
            }
        }
    }

    /// Accepts no more, ends the connections that wait, and lets the answers under way finish.
    func stop() {
        quiescing.withLock { $0?.initiateShutdown(promise: nil) }
    }
}
