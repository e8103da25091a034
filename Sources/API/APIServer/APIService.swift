// APIService: the HTTP side and the link to schedulerd, put together; what bulkhead-apid's main runs.

package import Daemon
import Hummingbird
import Logging
package import Posix
import Synchronization

/// Serves the API on a listening socket until it is told to stop. The link's loop runs on the thread of the one who
/// calls `runLink` (or runs `loop`), HTTP on threads of its own.
package final class APIService: Sendable {
    private let scheduler: SchedulerBridge
    private let server: InheritedSocketServer
    private let limits: HTTPLimits
    private let log: Log
    /// The serving task's result, as soon as there is one.
    private let outcome = Mutex<Result<Void, any Error>?>(nil)
    private let serving = Mutex<Task<Void, Never>?>(nil)

    /// `schedulerSocket`: the path of schedulerd's socket.
    package init(schedulerSocket: String, limits: HTTPLimits, log: Log) throws {
        scheduler = try SchedulerBridge(path: schedulerSocket, followers: limits.followers, log: log)
        self.limits = limits
        self.log = log
        let logger = Logger(label: "apid") { [log] _ in LogBridge(log: log) }
        let meter = APIMeter()
        let table = RouteTable(scheduler: scheduler, meter: meter, limits: limits)
        server = InheritedSocketServer(channel: Self.channel(table, meter, limits, logger), logger: logger)
    }

    /// The link's loop; for the thread that runs it only.
    package var loop: PollLoop { scheduler.loop }

    /// Runs the link until the service has stopped; throws what it failed with.
    package func runLink() throws {
        while outcome.withLock({ $0 == nil }) { scheduler.loop.run() }
        try outcome.withLock { try $0?.get() }
    }

    /// Begins to serve `listener`; at once, on other threads.
    package func start(_ listener: consuming FileDescriptor) {
        let raw = listener.release()
        let task = Task {
            let result: Result<Void, any Error>
            do {
                try await server.run(raw)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            outcome.withLock { $0 = result }
            scheduler.wake()
        }
        serving.withLock { $0 = task }
    }

    /// Accepts no more; answers that are under way have `stopDeadline`. Then `runLink` returns. From any thread.
    package func stop() {
        server.stop()
        Task {
            try await Task.sleep(for: limits.stopDeadline)
            serving.withLock { $0 }?.cancel()
        }
    }

    private static func channel(
        _ table: RouteTable, _ meter: APIMeter, _ limits: HTTPLimits, _ logger: Logger
    ) -> GuardedHTTPChannel {
        let responder = table.router().buildResponder()
        return GuardedHTTPChannel(limits: limits, meter: meter) { request, writer, channel in
            let context = APIContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
            var response = try await responder.respond(to: request, context: context)
            response.headers[.server] = "bulkhead"
            // The answer to HEAD has no body, whatever its headers say; a client would take one for the next answer.
            if request.method == .head { response = response.createHeadResponse() }
            try await writer.write(response: response.head, body: response.body)
        }
    }
}
