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
        let details = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        if event.level >= .error {
            log.error("\(event.message)", ["details": details])
        } else {
            log.warning("\(event.message)", ["details": details])
        }
    }
}
