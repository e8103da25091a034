// Items that bring descriptors: what a producer sends is what the consumer holds, and a wrong number ends the stream,
// not the connection.

import Files
import Link
import Posix
import Testing
import Wire

extension LinkTests {
    @Suite struct ItemDescriptors {
        private let attempt = Attempt(job: 1, attempt: 1, epoch: 1)

        private func couple(_ watch: @escaping (ItemSink<MaskEdge.WatchMasks.Item>) -> Void) throws -> Couple<MaskEdge>
        {
            var handlers = Handlers<MaskEdge>()
            handlers.on(MaskEdge.WatchMasks.self) { _, sink in watch(sink) }
            return try Couple(handlers)
        }

        @Test func eachItemBringsItsOwn() throws {
            let couple = try couple { sink in
                for path in ["/proc/self/cmdline", "/proc/self/comm"] {
                    guard let file = try? Posix.open(path, .readOnly) else { return }
                    sink.send(.init(), fd: file)
                }
                sink.end()
            }
            var counts: [Int] = []
            var ends: [Failure?] = []
            couple.client.open(
                MaskEdge.WatchMasks(attempt: attempt),
                onItem: { (_, fds: consuming FDBundle) in counts.append(fds.count) },
                onEnd: { ends.append($0) })
            try couple.wait("the end") { !ends.isEmpty }
            #expect(counts == [1, 1])
            #expect(ends == [nil])
        }

        @Test func anItemWithoutItsDescriptorIsTheProducersFailure() throws {
            let couple = try couple { $0.send(.init()) }
            var ends: [Failure?] = []
            couple.client.open(
                MaskEdge.WatchMasks(attempt: attempt),
                onItem: { (_, _: consuming FDBundle) in
                    Issue.record("an item came")
                }, onEnd: { ends.append($0) })
            try couple.wait("the end") { !ends.isEmpty }
            #expect(ends.first??.errorCode == .internal)
            #expect(couple.client.isReady)
        }
    }
}
