// A runner's life at GitLab: registered, asking, rotated, gone; and what a bad day does to it.

import Exchange
import GitLabRunner
import Testing

@Suite struct RunnerTests {
    static let settings = RunnerSettings(scope: .instance, description: "pool", tags: ["bulkhead"], runUntagged: false)
    static let created = Made.answer(201, #"{"id":41,"token":"glrt-1","token_expires_at":null}"#)
    static let none = Made.answer(204, "", ("X-GitLab-Last-Update", "u1"))

    private func machine(
        _ registration: Registration = .pool, known: RunnerMachine.KnownRunner? = nil
    ) -> RunnerMachine {
        RunnerMachine(Self.settings, registration, by: Made.api, known: known)
    }

    /// What it asks next, and where; nil if it waits.
    private func ask(_ machine: inout RunnerMachine, at now: UInt64 = 0, wall: UInt64 = 1_000) -> String? {
        guard case .send(let request, _) = machine.next(now: now, wall: wall) else { return nil }
        return "\(request.request.method.rawValue) \(request.request.target.text.dropFirst("/api/v4".count))"
    }

    private func say(
        _ machine: inout RunnerMachine, _ outcome: RetryPolicy.Outcome, at now: UInt64 = 0, wall: UInt64 = 1_000
    ) -> RunnerMachine.Notice? { machine.take(outcome, now: now, wall: wall, jitter: 0) }

    /// Registered, with room for two jobs.
    private func ready(
        _ registration: Registration = .pool, expires: UInt64? = nil
    ) -> RunnerMachine {
        var machine = machine(registration, known: .init(id: 41, obtained: 0, expires: expires))
        _ = ask(&machine)
        _ = say(
            &machine,
            Made.answer(
                200, #"{"id":41,"token":"glrt-1","token_expires_at":\#(expires == nil ? "null" : #""2026-12-01""#)}"#))
        machine.hasRoom(for: 2)
        return machine
    }

    @Test func theTokenIsKeptBeforeItIsUsed() {
        var machine = machine()
        machine.hasRoom(for: 1)
        #expect(ask(&machine) == "POST /user/runners")
        // One request at a time.
        #expect(ask(&machine) == nil)
        guard case .keep(let known, let token)? = say(&machine, Self.created) else {
            Issue.record("no token")
            return
        }
        #expect((known.id, known.obtained, token) == (41, 1_000, SecretText("glrt-1")))
        #expect(machine.next(now: 0, wall: 0) == .nothing)
        machine.tokenKept()
        #expect(ask(&machine) == "POST /jobs/request")
    }

    @Test func theOldTokenIsUsedOnlyWhereItIsConfigured() {
        var manners = RunnerMachine.Manners()
        manners.usesRegistrationToken = true
        var machine = RunnerMachine(Self.settings, .pool, by: Made.api, manners: manners)
        #expect(ask(&machine) == "POST /runners")
        #expect(say(&machine, Made.answer(410)) == .problem(.registrationIsOff))
    }

    @Test func itAsksForAsMuchAsThereIsRoomFor() {
        var machine = ready()
        #expect(ask(&machine) == "POST /jobs/request")
        #expect(say(&machine, Made.answer(201, "{}")) == .job(SecretText("{}")))
        #expect(ask(&machine) == "POST /jobs/request")
        #expect(say(&machine, Made.answer(201, "{}")) != nil)
        #expect(machine.next(now: 0, wall: 0) == .nothing)
        machine.hasRoom(for: 1)
        #expect(ask(&machine) == "POST /jobs/request")
    }

    @Test func noneIsAskedForAgainLaterWithWhatWasSaid() {
        var machine = ready()
        _ = ask(&machine)
        #expect(say(&machine, Self.none, at: 50_000) == nil)
        #expect(machine.next(now: 50_001, wall: 0) == .wait(until: 60_000))
        guard case .send(let request, .job) = machine.next(now: 60_000, wall: 0) else {
            Issue.record("it does not ask")
            return
        }
        #expect(String(decoding: request.request.body, as: UTF8.self).contains(#""last_update":"u1""#))
        _ = say(&machine, Self.none, at: 60_000)
        machine.hint()
        #expect(ask(&machine, at: 60_001) == "POST /jobs/request")
    }

    @Test func conflictsAreAskedAgainAtOnceButNotForEver() {
        var machine = ready()
        for _ in 0..<3 {
            #expect(ask(&machine) != nil)
            #expect(say(&machine, Made.answer(409)) == nil)
        }
        #expect(ask(&machine) != nil)
        _ = say(&machine, Made.answer(409))
        #expect(machine.next(now: 0, wall: 0) == .wait(until: 10_000))
    }

    @Test func badDaysAreWaitedFor() {
        for outcome in [
            RetryPolicy.Outcome.none(wasSent: true), .none(wasSent: false), Made.answer(500), Made.answer(503),
            Made.answer(422), Made.answer(404), Made.answer(302), Made.answer(200, "<html>"),
            Made.answer(403, "", ("Retry-After", "5")),
        ] {
            var machine = ready()
            var now: UInt64 = 0
            var times: [UInt64] = []
            for _ in 0..<12 {
                #expect(ask(&machine, at: now) == "POST /jobs/request")
                #expect(say(&machine, outcome, at: now) == nil)
                guard case .wait(let until) = machine.next(now: now, wall: 0) else {
                    Issue.record("it does not wait after \(outcome)")
                    return
                }
                // A hint makes nobody press a server that is not well.
                machine.hint()
                #expect(machine.next(now: now, wall: 0) == .wait(until: until))
                times.append(until - now)
                now = until
            }
            #expect((times.first ?? 0) >= 1000 && times.last == 300_000, "\(times)")
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    @Test func aDeadTokenIsFoundOutAndReplaced() {
        var machine = ready()
        _ = ask(&machine)
        #expect(say(&machine, Made.answer(403)) == nil)
        #expect(ask(&machine) == "POST /runners/verify")
        #expect(say(&machine, Made.answer(403)) == .problem(.tokenIsDead))
        #expect(machine.known == nil)
        #expect(ask(&machine) == nil, "whoever says so of every token gets no new runner with each")
        #expect(ask(&machine, at: 10_000) == "POST /user/runners")
        #expect(say(&machine, Made.answer(403), at: 10_000) == .problem(.mayNotRegister))
        #expect(machine.next(now: 10_001, wall: 0) == .wait(until: 310_000))
    }

    @Test func aTokenIsRotatedBeforeItEnds() {
        let end: UInt64 = 1_796_083_200
        var machine = ready(expires: end)
        #expect(ask(&machine, wall: end - 86_401) == "POST /jobs/request")
        _ = say(&machine, Self.none)
        machine.hint()
        #expect(ask(&machine, wall: end - 86_400) == "POST /runners/reset_authentication_token")
        let fresh = Made.answer(201, #"{"token":"glrt-2","token_expires_at":"2026-12-31"}"#)
        guard case .keep(let known, let token)? = say(&machine, fresh, wall: end - 86_400) else {
            Issue.record("no token")
            return
        }
        #expect((known.id, known.obtained, token) == (41, end - 86_400, SecretText("glrt-2")))
        machine.tokenKept()
        #expect(ask(&machine, wall: end - 86_400) == "POST /jobs/request")
    }

    /// A life of two hours: rotated in its middle, not at once and for ever.
    @Test func aShortLifeIsHalved() {
        let end: UInt64 = 1_796_083_200
        var machine = machine(known: .init(id: 41, obtained: end - 7200, expires: end))
        _ = ask(&machine)
        _ = say(&machine, Made.answer(200, #"{"id":41,"token":"x","token_expires_at":"2026-12-01"}"#))
        machine.hasRoom(for: 1)
        #expect(ask(&machine, wall: end - 3601) == "POST /jobs/request")
        _ = say(&machine, Self.none)
        machine.hint()
        #expect(ask(&machine, wall: end - 3600) == "POST /runners/reset_authentication_token")
    }

    @Test func aLostRotationIsFoundOut() {
        let end: UInt64 = 1_796_083_200
        var machine = ready(expires: end)
        _ = ask(&machine, wall: end)
        #expect(say(&machine, .none(wasSent: true), wall: end) == nil)
        #expect(ask(&machine, at: 10_000, wall: end) == "POST /runners/verify")
        #expect(say(&machine, Made.answer(403)) == .problem(.tokenIsDead))
        #expect(ask(&machine, at: 10_000, wall: end) == "POST /user/runners")
    }

    // MARK: the end

    @Test func aPoolsRunnerStaysAndThisInstanceLeavesIt() {
        var machine = ready(.pool)
        machine.stop()
        #expect(ask(&machine) == "DELETE /runners/managers")
        _ = say(&machine, Made.answer(204))
        #expect(machine.next(now: 0, wall: 0) == .gone)
    }

    @Test func aContainersRunnerIsRemoved() {
        var machine = ready(.runner)
        machine.stop()
        #expect(ask(&machine) == "DELETE /runners")
        _ = say(&machine, Made.answer(204))
        #expect(machine.next(now: 0, wall: 0) == .gone)
        #expect(machine.known == nil)
    }

    @Test func whoseTokenIsDeadIsRemovedByItsNumber() {
        var machine = ready(.runner)
        machine.stop()
        _ = ask(&machine)
        #expect(say(&machine, Made.answer(403)) == nil)
        #expect(ask(&machine) == "DELETE /runners/41")
        #expect(say(&machine, Made.answer(404)) == nil)
        #expect(machine.next(now: 0, wall: 0) == .gone)
    }

    @Test func aJobThatIsOnItsWayIsStillTaken() {
        var machine = ready(.runner)
        _ = ask(&machine)
        machine.stop()
        #expect(machine.next(now: 0, wall: 0) == .nothing)
        #expect(say(&machine, Made.answer(201, "{}")) != nil)
        #expect(ask(&machine) == "DELETE /runners")
    }

    @Test func nobodyLeavesForEver() {
        var machine = ready(.runner)
        machine.stop()
        var (now, asked): (UInt64, Int) = (0, 0)
        var problems: [RunnerMachine.Notice] = []
        while asked < 50 {
            switch machine.next(now: now, wall: 0) {
            case .send:
                asked += 1
                if let notice = say(&machine, Made.answer(500), at: now) { problems.append(notice) }
            case .wait(let until): now = until
            case .nothing, .gone:
                #expect(machine.next(now: now, wall: 0) == .gone)
                #expect(problems == [.problem(.leftBehind)])
                #expect(asked == 6)
                return
            }
        }
        Issue.record("it asks for ever")
    }

    @Test func whoIsNotThereYetIsGoneAtOnce() {
        var machine = machine()
        machine.stop()
        #expect(machine.next(now: 0, wall: 0) == .gone)
    }

    @Test(arguments: 0..<200) func whateverIsAnsweredItNeitherBreaksNorPresses(_ seed: Int) {
        var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var machine = machine(dice.roll(2) == 0 ? .pool : .runner)
        let statuses = [200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 503]
        let bodies = [
            "", "{}", "[]", #"{"id":41,"token":"t"}"#, #"{"id":41,"token":"t","token_expires_at":"1999-01-01"}"#,
        ]
        var (now, sent): (UInt64, UInt64) = (0, 0)
        for _ in 0..<2_000 {
            if dice.roll(50) == 0 { machine.hasRoom(for: Int(dice.roll(4))) }
            if dice.roll(1_500) == 0 { machine.stop() }
            switch machine.next(now: now, wall: 1_800_000_000 + now / 1000) {
            case .send:
                sent += 1
                let outcome: RetryPolicy.Outcome =
                    dice.roll(4) == 0
                    ? .none(wasSent: dice.roll(2) == 0)
                    : Made.answer(
                        statuses[Int(dice.roll(UInt64(statuses.count)))], bodies[Int(dice.roll(UInt64(bodies.count)))])
                if case .keep? = machine.take(
                    outcome, now: now, wall: 1_800_000_000, jitter: UInt32(dice.roll(1024))), dice.roll(4) != 0
                {
                    machine.tokenKept()
                }
            case .wait(let until):
                #expect(until > now)
                now = until
            case .nothing:
                now += 1000
                machine.hasRoom(for: 1)
                machine.tokenKept()
            case .gone: return
            }
        }
        // Where nothing goes well, there is more waiting than asking.
        #expect(sent < 2_000)
    }
}
