// The tasks of a connection: all of each on the thread of its loop.

import APIServer
import NIOCore
import NIOPosix
import Testing

@Suite struct LoopExecutorTests {
    @Test func aTaskStaysOnItsLoop() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let loop = group.next()
        let seen = await withTaskExecutorPreference(LoopExecutor(loop)) {
            var seen = [loop.inEventLoop]
            await Task.yield()
            seen.append(loop.inEventLoop)
            // What comes from another thread is heard on this one.
            _ = try? await group.next().submit { true }.get()
            seen.append(loop.inEventLoop)
            async let child = loop.inEventLoop
            seen.append(await child)
            return seen
        }
        #expect(seen == [true, true, true, true])
        #expect(!loop.inEventLoop, "the control: without it a task is elsewhere")
        try await group.shutdownGracefully()
    }
}
