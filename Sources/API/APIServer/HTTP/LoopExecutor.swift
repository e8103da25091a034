// LoopExecutor: the tasks of a connection run on the thread that reads and writes it. A request that changes threads
// waits for a processor each time, and apid does little but wait as it is.

package import NIOCore

/// Runs jobs on one event loop.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) {
        self.loop = loop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
