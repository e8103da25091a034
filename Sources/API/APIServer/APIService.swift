// APIService: the HTTP side and the link to schedulerd, put together; what bulkhead-apid's main runs.

import Daemon
import Hummingbird
import Logging
import NIOPosix
import Posix

/// Serves the API on a listening socket until it is told to stop.
package struct APIService: Sendable {
    private let scheduler: SchedulerBridge
    private let limits: HTTPLimits
    private let log: Log

    /// `connections`: most HTTP connections at the same time.
    package init(schedulerSocket: String, connections: Int, log: Log) throws {
        scheduler = try SchedulerBridge(path: schedulerSocket, log: log)
        limits = HTTPLimits(connections: connections)
        self.log = log
    }

    /// For tests: short deadlines.
    init(scheduler: SchedulerBridge, limits: HTTPLimits, log: Log) {
        self.scheduler = scheduler
        self.limits = limits
        self.log = log
    }

    /// The body of the link's thread; returns when the service stops.
    package func runLink() {
        scheduler.run()
    }

    /// Serves `listener` until the task is cancelled.
    package func serve(_ listener: consuming FileDescriptor) async throws {
        defer { scheduler.stop() }
        let responder = RouteTable(scheduler: scheduler).router().buildResponder()
        let logger = Logger(label: "apid") { [log] _ in LogBridge(log: log) }
        let channel = GuardedHTTPChannel(limits: limits) { request, writer, channel in
            let source = ApplicationRequestContextSource(channel: channel, logger: logger)
            let context = BasicRequestContext(source: source)
            var response: Response
            do {
                response = try await responder.respond(to: request, context: context)
            } catch {
                response = .failure(.noRoute)
            }
            response.headers[.server] = "bulkhead"
            try await writer.write(response: response.head, body: response.body)
        }
        // One loop thread: apid does little but wait, and each thread costs memory that is never used.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = InheritedSocketServer(listener: listener.release(), channel: channel, logger: logger)
        try await server.run(group: group)
        try await group.shutdownGracefully()
    }
}

/// What Hummingbird has to say, in the house's own log.
struct LogBridge: LogHandler {
    let log: Log
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(
        level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String, file: String,
        function: String, line: UInt
    ) {
        let details = (metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        level >= .error
            ? log.error("\(message)", ["details": details]) : log.warning("\(message)", ["details": details])
    }
}
