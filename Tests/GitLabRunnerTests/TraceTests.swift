// The log's way to GitLab: when a piece goes, what each answer does, and with all faults at once nothing is lost and
// nothing is there twice.

import Exchange
import GitLabRunner
import Testing

@Suite struct TraceTests {
    static let small = {
        var limits = TraceMachine.Limits()
        limits.piece = 100
        limits.smallestPiece = 10
        limits.probe = 10
        return limits
    }()

    static func log(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 251) } }

    /// A log that is all there, and its end.
    private func driver(
        _ count: Int, _ end: JobEnd = .succeeded, server: TraceServer = TraceServer(), isResumed: Bool = false
    ) -> TraceDriver {
        var driver = TraceDriver(Self.log(count), server: server, isResumed: isResumed, limits: Self.small)
        driver.machine.grew(to: UInt64(count))
        driver.machine.finish(end, logSize: UInt64(count), now: driver.now)
        return driver
    }

    @Test(arguments: [0, 1, 99, 100, 101, 1234]) func aLogComesThere(_ count: Int) {
        var driver = driver(count)
        #expect(driver.runToEnd() == .accepted)
        #expect(driver.server.log == driver.log)
        #expect(driver.server.status == "success")
        #expect(driver.server.taken.count == (count + 99) / 100)
    }

    @Test func theChecksumIsZlibs() {
        var driver = driver(9)
        driver.log = Array("123456789".utf8)
        #expect(driver.runToEnd() == .accepted)
        #expect(driver.server.accepted?.contains("crc32:cbf43926") == true)
    }

    @Test func whileItRunsPiecesWaitForMore() {
        var driver = TraceDriver(Self.log(500), limits: Self.small)
        driver.machine.grew(to: 30)
        func step(_ driver: inout TraceDriver) { _ = driver.step { .answer($1.answer($0)) } }
        for _ in 0..<2 { step(&driver) }
        #expect(driver.server.log.count == 30)
        // The server's interval, not ours.
        driver.machine.grew(to: 60)
        #expect(driver.machine.next(now: driver.now) == .wait(until: driver.now + 2000))
        // A full piece goes at once.
        driver.machine.grew(to: 350)
        for _ in 0..<6 { step(&driver) }
        #expect(driver.server.taken.map(\.1) == [30, 100, 100, 100])
        #expect(driver.machine.next(now: driver.now) == .wait(until: driver.now + 2000))
    }

    @Test func aSilentJobSaysThatItIsThereAndHearsOfItsEnd() {
        var driver = TraceDriver([], limits: Self.small)
        #expect(driver.machine.next(now: driver.now) == .wait(until: 31_000))
        driver.now = 31_000
        driver.server.status = "canceling"
        _ = driver.step { .answer($1.answer($0)) }
        #expect(driver.notices == [.cancel])
        #expect(driver.sent.map(\.method) == [.put])
        // It is said once.
        driver.now = 70_000
        _ = driver.step { .answer($1.answer($0)) }
        #expect(driver.notices == [.cancel])
        #expect(driver.sent.count == 2)
        driver.machine.finish(.cancelledThere, logSize: 0, now: driver.now)
        #expect(driver.runToEnd() == .accepted)
    }

    @Test(arguments: ["canceled", "failed", "success", "skipped", "whatever"])
    func aJobThatIsOverThereIsOverHere(_ status: String) {
        var driver = TraceDriver(Self.log(10), limits: Self.small)
        driver.machine.grew(to: 10)
        driver.server.status = status
        #expect(driver.runToEnd() == .gone)
        #expect(driver.notices == [.abort])
    }

    @Test func aLostAnswerIsMadeGood() {
        var driver = driver(1000)
        var count = 0
        let over = driver.runToEnd { request, server in
            count += 1
            let answer = server.answer(request)
            return count % 3 == 0 ? .none(wasSent: true) : .answer(answer)
        }
        #expect(over == .accepted)
        #expect(driver.server.log == driver.log)
    }

    /// The end was heard, the answer was lost, and GitLab says only that the job is over.
    @Test func aLostEndIsMadeGood() {
        var driver = driver(10)
        let over = driver.runToEnd { request, server in
            let answer = server.answer(request)
            return server.status == "success" && answer.status == 200 ? .none(wasSent: true) : .answer(answer)
        }
        #expect(over == .accepted)
        // Another end is another one's.
        driver = self.driver(10)
        driver.server.status = "failed"
        #expect(driver.runToEnd() == .gone)
    }

    @Test func whoeverResumesSendsNothingTwice() {
        var server = TraceServer()
        server.log = Array(Self.log(1000).prefix(640))
        var driver = driver(1000, server: server, isResumed: true)
        #expect(driver.runToEnd() == .accepted)
        #expect(driver.server.log == driver.log)
        // A small question, then what is missing.
        #expect(driver.sent.first?.body.count == 10)
        #expect(driver.server.taken.map(\.0) == [640, 740, 840, 940])
    }

    @Test func aWrongLogIsSentAgain() {
        for keeps in [false, true] {
            var server = TraceServer()
            server.log = [1, 2, 3]
            server.keepsLogAfterMismatch = keeps
            var driver = driver(300, server: server, isResumed: true)
            let over = driver.runToEnd()
            // Where the server does not forget, nobody can mend it, and nobody tries for ever.
            #expect(over == (keeps ? .refused(status: 412) : .accepted))
            if !keeps { #expect(driver.server.log == driver.log) }
            #expect(driver.server.asked < 40)
        }
    }

    @Test func anEndThatIsOnlyAcceptedIsSaidAgainAfterTheInterval() {
        var server = TraceServer()
        server.persisting = 3
        var driver = driver(10, server: server)
        let start = driver.now
        #expect(driver.runToEnd() == .accepted)
        #expect(driver.sent.filter { $0.method == .put }.count == 4)
        #expect(
            Set(driver.sent.filter { $0.method == .put }.map { String(decoding: $0.body, as: UTF8.self) }).count == 1)
        #expect(driver.now - start >= 6000)
    }

    @Test func aPieceThatIsTooLongIsHalved() {
        var server = TraceServer()
        server.mostBytes = 30
        var driver = driver(200, server: server)
        #expect(driver.runToEnd() == .accepted)
        #expect(driver.server.taken.allSatisfy { $0.1 <= 30 })
        server.mostBytes = 3
        driver = self.driver(200, server: server)
        #expect(driver.runToEnd() == .refused(status: 413))
    }

    @Test func whatIsRefusedIsNotTriedForEver() {
        for (status, over) in [
            (400, TraceMachine.Over.refused(status: 400)), (401, .gone), (403, .gone), (404, .gone), (410, .gone),
            (409, .refused(status: 409)), (416, .refused(status: 416)), (422, .refused(status: 422)),
        ] {
            var driver = driver(10)
            #expect(driver.runToEnd { _, _ in .answer(ExchangeAnswer(status: status)) } == over, "\(status)")
            #expect(driver.sent.count <= 12, "\(status)")
        }
        // 202 without any progress.
        var driver = driver(10)
        let stuck = ExchangeAnswer(
            status: 202, headers: [HeaderField("Job-Status", "running"), HeaderField("Range", "0-0")])
        #expect(driver.runToEnd { _, _ in .answer(stuck) } == .refused(status: 202))
    }

    @Test func whatMayPassIsTriedAnHourAndNoLonger() {
        for outcome in [
            RetryPolicy.Outcome.none(wasSent: true), .none(wasSent: false), .answer(ExchangeAnswer(status: 500)),
            .answer(ExchangeAnswer(status: 429)), .answer(ExchangeAnswer(status: 302)),
            // A page for people, which no runner takes for an end.
            .answer(ExchangeAnswer(status: 200)), .answer(ExchangeAnswer(status: 202)),
        ] {
            var driver = driver(10)
            let start = driver.now
            #expect(driver.runToEnd { _, _ in outcome } == .exhausted)
            #expect((3_600_000...4_100_000).contains(driver.now - start))
            #expect((10...60).contains(driver.sent.count), "\(driver.sent.count)")
        }
    }

    @Test func aLimitIsWaitedFor() {
        var driver = driver(10)
        let start = driver.now
        var count = 0
        let over = driver.runToEnd { request, server in
            count += 1
            return count == 1
                ? .answer(ExchangeAnswer(status: 429, headers: [HeaderField("Retry-After", "120")]))
                : .answer(server.answer(request))
        }
        #expect(over == .accepted)
        #expect(driver.now - start >= 120_000)
    }

    @Test func aLogThatWasCutComesAgain() {
        var driver = TraceDriver(Self.log(300), limits: Self.small)
        driver.machine.grew(to: 250)
        for _ in 0..<8 { _ = driver.step { .answer($1.answer($0)) } }
        // relayd was killed: the last bytes are gone, and the runner sends them again.
        driver.machine.grew(to: 200)
        for _ in 0..<5 { _ = driver.step { .answer($1.answer($0)) } }
        driver.machine.grew(to: 300)
        driver.machine.finish(.succeeded, logSize: 300, now: driver.now)
        #expect(driver.runToEnd() == .accepted)
        #expect(driver.server.log == driver.log)
    }

    // MARK: all at once

    /// A network of everything that can happen on a bad day.
    private static func network(_ dice: inout Dice, _ request: ExchangeRequest, _ server: inout TraceServer)
        -> RetryPolicy.Outcome
    {
        switch dice.roll(12) {
        case 0: return .none(wasSent: false)
        case 1:
            _ = server.answer(request)
            return .none(wasSent: true)
        case 2: return .answer(ExchangeAnswer(status: [500, 502, 503, 504][Int(dice.roll(4))]))
        case 3:
            _ = server.answer(request)
            return .answer(ExchangeAnswer(status: 504))
        case 4: return .answer(ExchangeAnswer(status: 429, headers: [HeaderField("Retry-After", "1")]))
        case 5 where request.method == .patch:
            return .answer(
                ExchangeAnswer(status: 416, headers: [HeaderField("Range", "0-\(server.log.count)")]))
        case 6:
            // It arrives twice.
            _ = server.answer(request)
            return .answer(server.answer(request))
        case 7: return .answer(ExchangeAnswer(status: 200, headers: [HeaderField("Content-Type", "text/html")]))
        default: return .answer(server.answer(request))
        }
    }

    @Test(arguments: 0..<400) func whateverGetsLostTheLogIsWhole(_ seed: Int) {
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        let log = Self.log(Int(dice.roll(3000)))
        var server = TraceServer()
        server.persisting = Int(dice.roll(4))
        var driver = TraceDriver(log, server: server, limits: Self.small)
        var written = 0
        var over: TraceMachine.Over?
        var restarts = dice.roll(4)
        for _ in 0..<20_000 where over == nil {
            if written < log.count, dice.roll(3) == 0 {
                written = min(log.count, written + 1 + Int(dice.roll(250)))
                driver.machine.grew(to: UInt64(written))
            } else if written == log.count, dice.roll(20) == 0 {
                driver.machine.finish(.failed(exitCode: 2), logSize: UInt64(written), now: driver.now)
            }
            // Whoever drives it is killed, and another one begins where nobody knows.
            if restarts > 0, dice.roll(40) == 0 {
                restarts -= 1
                let (server, now) = (driver.server, driver.now)
                driver = TraceDriver(log, server: server, isResumed: true, limits: Self.small)
                driver.now = now
                driver.machine.grew(to: UInt64(written))
                if server.status != "running" {
                    driver.machine.finish(.failed(exitCode: 2), logSize: UInt64(written), now: now)
                }
            }
            over = driver.step(until: driver.now + 500) { Self.network(&dice, $0, &$1) }
        }
        #expect(over == .accepted)
        #expect(driver.server.log == log)
        #expect(driver.server.status == "failed")
        // Each byte was taken once.
        var at = 0
        for (first, count) in driver.server.taken {
            #expect(first == at)
            at += count
        }
    }
}
