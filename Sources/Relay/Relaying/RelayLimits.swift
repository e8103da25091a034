// What relayd bounds, and the values that flags may change.

package import Daemon

/// Sizes in bytes.
package struct RelayLimits: Sendable {
    /// Output stored per attempt; what follows is counted.
    package var logBytes: UInt64 = 1 << 30
    /// Files that an attempt leaves; an archive in which they become more is dropped.
    package var artifactBytes: UInt64 = 1 << 30
    /// Largest source archive.
    package var sourceBytes: UInt64 = 1 << 30
    /// Uploads that are open at once.
    package var uploads = 16
    /// An upload is given up that fewer bytes than the least reach in this time: who drips must not hold its place.
    package var uploadIdle: Duration = .seconds(60)
    package var uploadLeast = 1 << 20
    /// Attached runners.
    package var runners = 1024
    /// From the handing over of a stream to the runner's answer to the preamble.
    package var syncTime: Duration = .seconds(10)
    /// Bytes before that answer: the rest of an older connection, of which the runner keeps 1 MiB at most.
    package var syncBytes = 16 << 20
    /// How often a runner may complain of one stream before it is lost, and how long the stream rests after each.
    package var complaints = 3
    package var complaintPause: Duration = .milliseconds(100)
    /// Time for a runner to answer a call. A paused machine is no violation.
    package var answerTime: Duration = .seconds(60)
    /// Time for a runner to take a job that it is given.
    package var startTime: Duration = .seconds(30)
    /// How often an idle runner is asked whether it is there, and how long it has to say so.
    package var idleTime: Duration = .seconds(15)
    package var idleAnswerTime: Duration = .seconds(10)
    /// How long a commit that failed waits for its next try.
    package var retryTime: Duration = .seconds(1)
    /// Events that a slow watcher may leave unread.
    package var watcherBytes = 4 << 20

    package init() {}

    /// Those that flags may change, as the flags say.
    package init(_ settings: Configuration) {
        logBytes = UInt64(settings.int("log-limit"))
        sourceBytes = UInt64(settings.int("source-limit"))
        uploads = settings.int("upload-limit")
        uploadIdle = .seconds(settings.int("upload-idle"))
        runners = settings.int("runner-limit")
        syncTime = .seconds(settings.int("sync-time"))
    }
}
