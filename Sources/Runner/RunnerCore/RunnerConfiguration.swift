// Where the runner finds things. In a container these are constants; a test gives a directory of its own.

package import Wire

/// The surroundings of one runner.
package struct RunnerConfiguration: Sendable {
    /// Who it is: the second half of the sync marker.
    package var runner: Bytes16
    /// The writable directory of the job; see JobDirectories. The runner's own, or its user's.
    package var jobDirectory = "/job"
    /// Where brokerd's grant is mounted.
    package var grantDirectory = "/run/bulkhead"
    package var grantLimits = GrantLimits()
    /// The image of this container, as spawnerd says it. nil: unknown, and then no job with secrets is taken.
    package var image: String?
    /// Where an untrusted step may write besides the job's directory and the temporary one.
    package var deviceDirectory = "/dev"
    package var temporaryDirectory = "/tmp"
    /// What runs the steps.
    package var shell = "/bin/sh"
    /// Where the kernel counts the processes that it killed for memory: version 2 and version 1 of control groups.
    package var memoryEvents = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"]
    package var searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// relayd's ends: frames in, frames out.
    package var input: Int32 = 0
    package var output: Int32 = 1
    /// How long a held-back byte waits for the rest of a sync marker.
    package var holdBack: Duration = .milliseconds(25)
    /// How long an unfinished line waits for the rest of it.
    package var lineHold: Duration = .milliseconds(500)
    /// What a step has between SIGTERM and SIGKILL when the engine stops the container.
    package var stopGrace: Duration = .seconds(5)

    package init(runner: Bytes16) {
        self.runner = runner
    }
}
