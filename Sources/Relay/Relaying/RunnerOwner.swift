// What a conversation with a runner tells Relay.

import Link
import LogStore
import Wire

protocol RunnerOwner: AnyObject {
    /// The runner has answered and can take a job.
    func runnerIsReady(_ conversation: RunnerConversation)
    /// The runner has taken the job; said again after a reconnection.
    func jobStarted(_ log: AttemptLog)
    /// The job's end is on disk: there is nothing more to mask.
    func jobEnded(_ log: AttemptLog)
    /// These records are on disk now.
    func recorded(_ events: [RunnerEdge.Record], in log: AttemptLog)
    /// Records are staged: `commit` is due before the loop waits.
    func staged(_ conversation: RunnerConversation)
    /// A commit failed (again and again until nil says that one succeeded).
    func stalled(_ conversation: RunnerConversation, _ error: StoreError?)
    /// The runner has ended the connection and complained of relayd; the stream is still open. The conversation says
    /// nothing after this.
    func dismissed(_ conversation: RunnerConversation, _ failure: Failure)
    /// The connection is over, and the stream. The conversation says nothing after this.
    func lost(_ conversation: RunnerConversation, _ failure: Failure)
}
