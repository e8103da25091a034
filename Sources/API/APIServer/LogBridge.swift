// LogBridge: what Hummingbird and NIO have to say, in the house's own log.

import Daemon
import Logging

/// A swift-log handler over the daemon's log. Only what somebody has to look at passes.
struct LogBridge: LogHandler {
    let log: Log
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var metadata = event.metadata ?? [:]
        // The key by which the lines of all daemons about one job are found.
        let job = metadata.removeValue(forKey: "job").map { "\($0)" } ?? "none"
        let details = metadata.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        let write = event.level >= .error ? log.error : log.warning
        write("\(event.message)", ["job": job, "details": details])
    }
}
