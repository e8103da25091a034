// The order of things in a pass, and that nothing stale is ever delivered.
import Endpoints
import Files
import Posix
import Testing

extension Base {
    @Suite struct PollLoopTests {
        @Test func aPassHasItsOrder() throws {
            let loop = try PollLoop()
            let pair = try Posix.socketPair()
            var seen: [String] = []
            var hooks = 0
            loop.beforeWait {
                hooks += 1
                seen.append("hook")
            }
            try loop.watch(pair.first.raw, .readable) { _ in
                seen.append("ready")
                loop.unwatch(pair.first.raw)
                loop.soon {
                    seen.append("soon")
                    loop.soon {
                        seen.append("sooner")
                        loop.stop()
                    }
                }
            }
            loop.soon { seen.append("first") }
            _ = try Posix.write(pair.second.raw, [1])
            loop.run()
            #expect(seen == ["first", "hook", "ready", "soon", "sooner", "hook"])
            #expect(hooks == 2)
        }

        @Test func timersFireInTheirOrderAndNeverEarly() throws {
            let loop = try PollLoop()
            var seen: [Int] = []
            let start = Posix.monotonicNow()
            var early = false
            for (index, delay) in [30, 10, 20, 10].enumerated() {
                loop.after(.milliseconds(delay)) {
                    if Posix.monotonicNow() - start < UInt64(delay) * 1_000_000 { early = true }
                    seen.append(index)
                    if seen.count == 4 { loop.stop() }
                }
            }
            loop.run()
            #expect(seen == [1, 3, 2, 0])
            #expect(!early)
        }

        @Test func aClockOfItsOwnIsAllThatTimersGoBy() throws {
            var time: UInt64 = 1_000
            let loop = try PollLoop(clock: { time })
            var seen: [String] = []
            #expect(loop.nextDeadline == nil)
            // Hours that nobody waits for: turned to the next deadline, the loop runs what is due, and no more.
            loop.after(.seconds(7200)) { seen.append("second hour") }
            let cancelled = loop.after(.seconds(1800)) { seen.append("half an hour") }
            loop.after(.seconds(3600)) {
                seen.append("first hour")
                loop.after(.seconds(60)) { seen.append("a minute later") }
            }
            loop.cancel(cancelled)
            loop.runPass()
            #expect(seen.isEmpty)
            var deadlines: [UInt64] = []
            while let deadline = loop.nextDeadline {
                deadlines.append((deadline - 1_000) / 1_000_000_000)
                time = deadline - 1
                let before = seen
                loop.runPass()
                #expect(seen == before, "a nanosecond early")
                time = deadline
                loop.runPass()
            }
            #expect(deadlines == [3600, 3660, 7200])
            #expect(seen == ["first hour", "a minute later", "second hour"])
            #expect(loop.now == 1_000 + 7200 * 1_000_000_000)
        }

        @Test func cancelledTimersDoNotFire() throws {
            let loop = try PollLoop()
            var fired: [Int] = []
            // So many that the queue is compacted on the way, in an order that shuffles the heap.
            let timers = (0..<1000).map { index in
                loop.after(.microseconds((index * 7919) % 1000)) { fired.append(index) }
            }
            for (index, timer) in timers.enumerated() where index % 10 != 0 { loop.cancel(timer) }
            for timer in timers where timer == timers[1] { loop.cancel(timer) }  // twice does no harm
            loop.after(.milliseconds(2)) { loop.stop() }
            loop.run()
            let expected = stride(from: 0, to: 1000, by: 10).sorted { ($0 * 7919) % 1000 < ($1 * 7919) % 1000 }
            #expect(fired.sorted() == expected.sorted())
            // Deadlines are taken one after another, so neighbours may swap; far ones may not.
            #expect(fired.count == 100)
        }

        @Test func aStaleTimerNameCancelsNothing() throws {
            let loop = try PollLoop()
            var fired = false
            let old = loop.after(.zero) {}
            loop.cancel(old)
            loop.after(.zero) {  // has the slot of the old one
                fired = true
                loop.stop()
            }
            loop.cancel(old)
            loop.run()
            #expect(fired)
        }

        @Test func aTimerThatStartsAnotherDoesNotStarveTheRest() throws {
            let loop = try PollLoop()
            let pair = try Posix.socketPair()
            var rounds = 0
            func again() {
                rounds += 1
                if rounds < 100_000 { loop.after(.zero, again) }
            }
            again()
            try loop.watch(pair.first.raw, .readable) { _ in loop.stop() }
            _ = try Posix.write(pair.second.raw, [1])
            loop.run()
            #expect(rounds < 100)
        }

        @Test func unwatchInsideAHandlerDropsWhatThePassStillHolds() throws {
            let loop = try PollLoop()
            let one = try Posix.socketPair()
            let two = try Posix.socketPair()
            let (first, second) = (one.first.raw, two.first.raw)
            var calls = 0
            // Both are ready in one pass; whoever comes first takes the other out.
            for raw in [first, second] {
                try loop.watch(raw, .readable) { _ in
                    calls += 1
                    loop.unwatch(raw == first ? second : first)
                    loop.unwatch(raw)
                }
            }
            _ = try Posix.write(one.second.raw, [1])
            _ = try Posix.write(two.second.raw, [1])
            loop.runPass(waiting: .seconds(5))
            loop.runPass()
            #expect(calls == 1)
            withExtendedLifetime(loop) {}
        }

        @Test func aNumberThatIsUsedAgainInOnePassGetsNoOldEvent() throws {
            let loop = try PollLoop()
            let one = try Posix.socketPair()
            let two = try Posix.socketPair()
            var raws = [try one.first.duplicate().release(), try two.first.duplicate().release()]
            var events: [String] = []
            var spare: [Int32] = []
            let quiet = try Posix.socketPair()
            for raw in raws {
                try loop.watch(raw, .readable) { _ in
                    events.append("ready")
                    // The other one is closed, and its number goes to a descriptor that is not readable.
                    guard let other = raws.first(where: { $0 != raw }), spare.isEmpty else { return }
                    loop.unwatch(other)
                    FileDescriptor(owning: other).close()
                    spare = (try? [quiet.first.duplicate().release(), quiet.second.duplicate().release()]) ?? []
                    raws = [raw]
                    #expect(spare.contains(other))
                    for number in spare {
                        #expect(throws: Never.self) {
                            try loop.watch(number, .readable) { _ in events.append("stale") }
                        }
                    }
                }
            }
            _ = try Posix.write(one.second.raw, [1])
            _ = try Posix.write(two.second.raw, [1])
            loop.runPass(waiting: .seconds(5))
            #expect(events == ["ready"])
            for raw in raws + spare {
                loop.unwatch(raw)
                FileDescriptor(owning: raw).close()
            }
        }

        @Test func hookRunsOncePerPassHoweverMuchIsReady() throws {
            let loop = try PollLoop()
            var (ready, hooks) = (0, 0)
            var raws: [Int32] = []
            for _ in 0..<20 {
                let pair = try Posix.socketPair()
                _ = try Posix.write(pair.second.raw, [1])
                let raw = pair.keepFirst().release()
                raws.append(raw)
                try loop.watch(raw, .readable) { _ in
                    ready += 1
                    loop.unwatch(raw)
                }
            }
            loop.beforeWait { hooks += 1 }
            loop.runPass(waiting: .seconds(5))
            #expect(ready == 20)
            #expect(hooks == 1)
            for raw in raws { FileDescriptor(owning: raw).close() }
        }

        @Test func workFromAHookFollowsWithoutWaiting() throws {
            let loop = try PollLoop()
            var passes = 0
            loop.beforeWait {
                passes += 1
                if passes == 1 { loop.soon { loop.stop() } }
            }
            loop.run()  // would wait for ever if that `soon` were left lying
            #expect(passes == 2)
        }

        @Test func otherThreadsPostInOrder() async throws {
            let loop = try PollLoop()
            let poster = loop.poster
            let received = Received()
            let threads = (0..<4).map { thread in
                Task.detached {
                    for number in 0..<500 { poster.post { received.values.append((thread, number)) } }
                    poster.post { received.done += 1 }
                }
            }
            while received.done < 4 { loop.runPass(waiting: .seconds(5)) }
            for thread in threads { await thread.value }
            for thread in 0..<4 {
                #expect(received.values.filter { $0.0 == thread }.map(\.1) == Array(0..<500))
            }
        }

        /// Touched on the loop's thread only, which is what the test shows.
        private final class Received: @unchecked Sendable {
            var values: [(Int, Int)] = []
            var done = 0
        }

        @Test func aPosterOutlivesItsLoop() throws {
            let before = try openDescriptors()
            do {
                var loop: PollLoop? = try PollLoop()
                let poster = loop?.poster
                loop = nil
                poster?.post {}
            }
            #expect(try openDescriptors() == before)
        }

        @Test func hangupsAreTold() throws {
            let loop = try PollLoop()
            let pair = try Posix.socketPair()
            let raw = pair.first.raw
            var told: Interest = []
            try loop.watch(raw, .readable) { told = $0 }
            let kept = pair.keepFirst()
            loop.runPass(waiting: .seconds(5))
            #expect(told.contains(.readable))
            #expect(told.contains(.hangup))
            // Without any interest there is nothing to tell, and no busy loop.
            told = []
            try loop.change(kept.raw, [])
            loop.runPass()
            #expect(told.isEmpty)
            try loop.change(kept.raw, .readable)
            loop.runPass()
            #expect(told.contains(.hangup))
            loop.unwatch(kept.raw)
        }

        @Test func writabilityComesAndGoesWithInterest() throws {
            let loop = try PollLoop()
            let pair = try Posix.socketPair()
            var told: [Interest] = []
            try loop.watch(pair.first.raw, .readable) { told.append($0) }
            loop.runPass()
            try loop.change(pair.first.raw, [.readable, .writable])
            loop.runPass()
            try loop.change(pair.first.raw, .readable)
            loop.runPass()
            #expect(told == [.writable])
            loop.unwatch(pair.first.raw)
        }

        @Test func watchingTwiceAndWatchingFilesIsRefused() throws {
            let loop = try PollLoop()
            let pair = try Posix.socketPair()
            let raw = pair.first.raw
            try loop.watch(raw, .readable) { _ in }
            #expect(throws: PosixError.alreadyWatched(raw)) { try loop.watch(raw, .readable) { _ in } }
            let file = try Posix.open("/etc/passwd", .readOnly)
            let number = file.raw
            #expect(throws: PosixError.system(call: "watch", errno: 1)) { try loop.watch(number, .readable) { _ in } }
            #expect(!loop.isWatched(number))
            loop.unwatch(raw)
        }

        @Test func signalsArriveOnTheLoop() async {
            // In a process of its own: a signal to this one could meet a thread of the test runner.
            await #expect(processExitsWith: .success) {
                let loop = try PollLoop()
                var seen: [Int32] = []
                try loop.onSignals([Signal.user1, Signal.terminate]) { signal in
                    seen.append(signal.number)
                    if seen.count == 2 { loop.stop() }
                }
                // To the thread, by way of a child: the test runner has other threads that do not block the signal.
                try SignalSelf.send(Signal.user1)
                try SignalSelf.send(Signal.terminate)
                loop.run()
                #expect(seen.sorted() == [Signal.user1, Signal.terminate].sorted())
            }
        }
    }
}
