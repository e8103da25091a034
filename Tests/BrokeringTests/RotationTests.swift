// The rotation of the master key: one commit point, on whose other side nothing old is good for anything.

import Files
import Link
import LinkBlocking
import Orders
import Posix
import Processes
import Synchronization
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct RotationTests {
        private let attempt = Attempt(job: 7, attempt: 1, epoch: 3)

        /// What the CLI does: the next key lies in its file before the order goes out.
        private func rotation(_ house: BrokerHouse) throws -> (next: Person, order: SealedOrder) {
            let master = try Posix.randomBytes(32)
            try house.directory.write("keys/next", master)
            let next = Person(broker: try BrokerKeys(master: master).publicKey)
            let body = OrderBody.rotate(.init(tokenHash: Hashes.token(next.token), key: next.key.publicKey))
            return (next, try house.admin.seal(body, value: master))
        }

        @Test func everythingOldIsDead() throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3]])
            let client = try house.scheduler()
            let wish = Wish(secrets: ["deploy"])
            let ticket = try client.ticket(house.admin, wish)
            let runner = try RunnerSide(client, house)
            try client.grant(ticket, runner, attempt)
            let token = try runner.open().token
            let (next, order) = try rotation(house)
            let late = try house.admin.set("late", [1])
            try client.execute(house.admin, order)

            for again in [false, true] {
                if again { try house.restart() }
                let client = try house.scheduler()
                #expect(try house.grantFiles().isEmpty)
                #expect(try refusal { _ = try client.caller(house.admin.token) } == .unauthorized)
                #expect(try refusal { _ = try client.caller(token) } == .unauthorized)
                #expect(try refusal { try client.execute(house.admin, late) } == .unauthorized)
                let withNewToken = BrokerEdge.Execute(token: next.token, order: late)
                #expect(try refusal { _ = try client.call(withNewToken) } == .orderRefused)
                #expect(try refusal { try client.grant(ticket, runner, attempt) } == .ticketRefused)
                #expect(try client.caller(next.token) == next.word)
                #expect(try client.secrets(next) == ["deploy"])
            }
            // The new side works, with the old values.
            let now = try house.scheduler()
            let fresh = try RunnerSide(now, house)
            try now.grant(try now.ticket(next, wish), fresh, Attempt(job: 8, attempt: 1, epoch: 1))
            #expect(try fresh.open().secrets.map(\.value) == [[1, 2, 3]])
            try house.stop()
            try Posix.unlink("\(house.directory.path)/keys/next")
            #expect(try house.start() == .exited(1))  // the old master key opens nothing any more
        }

        /// It is on record before it happens. If it then does not, what was used up before stays used up.
        @Test(arguments: [Point.storeTemporary, .storeRenamed]) func aCrashInTheMiddleForgetsNothing(_ point: Point)
            throws
        {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3]])
            let ticket = try house.scheduler().ticket(house.admin, Wish(secrets: ["deploy"]))
            let first = try house.scheduler()
            try first.grant(ticket, try RunnerSide(first, house), attempt)
            try house.restart(BrokerOptions(dieAt: point))
            let (next, order) = try rotation(house)
            #expect(try refusal { try house.scheduler().execute(house.admin, order) } == .disconnected)
            #expect(house.wait() == .signalled(Signal.kill))
            try house.start()
            #expect(try house.audited(.rotated).count == 1)
            let client = try house.scheduler()
            let other = try RunnerSide(client, house)
            let again = try refusal { try client.grant(ticket, other, Attempt(job: 8, attempt: 1, epoch: 3)) }
            // The rename is the moment: before it the ticket lives and is used up, behind it it is dead.
            #expect(again == (point == .storeTemporary ? .conflict : .ticketRefused))
            _ = try client.caller(point == .storeTemporary ? house.admin.token : next.token)
        }

        @Test func bothKeyFilesMayLieThere() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let (next, order) = try rotation(house)
            try house.restart()
            #expect(try house.scheduler().secrets(house.admin) == ["deploy"])
            try house.scheduler().execute(house.admin, order)
            try house.restart()
            #expect(try house.scheduler().secrets(next) == ["deploy"])
        }

        @Test func rotationsThatChangeNothingAreRefused() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            let next = Person(broker: try BrokerKeys(master: house.master).publicKey)
            let body = OrderBody.rotate(.init(tokenHash: Hashes.token(next.token), key: next.key.publicKey))
            for value in [house.master, [], [UInt8](repeating: 1, count: 31), [UInt8](repeating: 1, count: 33)] {
                #expect(
                    try refusal { try client.execute(house.admin, try house.admin.seal(body, value: value)) }
                        == .invalid)
            }
            let old = OrderBody.rotate(.init(tokenHash: Hashes.token(house.admin.token), key: next.key.publicKey))
            let fresh = try Posix.randomBytes(32)
            #expect(
                try refusal { try client.execute(house.admin, try house.admin.seal(old, value: fresh)) } == .invalid)
            #expect(try house.audited(.rotated).isEmpty)
            _ = try client.caller(house.admin.token)
        }

        /// Many ask while it happens: nobody who has seen the new side is answered by the old one afterwards, and no
        /// answer is neither.
        @Test func thereIsOneCommitPoint() async throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let (next, order) = try rotation(house)
            let (old, new) = (house.admin.token, next.token)
            let path = "\(house.directory.path)/broker.socket"
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let client = try BlockingClient<BrokerEdge>(path: path)
                        while !tally.isEnough {
                            let wasNew = tally.isNew
                            let oldLives = try refusal { _ = try client.caller(old) } == nil
                            let newLives = try refusal { _ = try client.caller(new) } == nil
                            tally.note(wasNew: wasNew, oldLives: oldLives, newLives: newLives)
                            // There are no more threads than cores, and the one that rotates needs its turn.
                            await Task.yield()
                        }
                    }
                }
                // Somebody has to have been answered by the old side, or this shows nothing.
                while tally.old < 20 { await Task.yield() }
                try house.scheduler().execute(house.admin, order)
                try await group.waitForAll()
            }
            #expect(tally.mistakes.isEmpty)
            #expect(tally.old >= 20 && tally.isEnough)
        }
    }
}

/// What four clients have seen, together.
private final class Tally: Sendable {
    private struct Seen {
        var old = 0
        var new = 0
        var mistakes: [String] = []
    }

    private let seen = Mutex(Seen())

    var old: Int { seen.withLock { $0.old } }
    var isNew: Bool { seen.withLock { $0.new > 0 } }
    var isEnough: Bool { seen.withLock { $0.new >= 200 } }
    var mistakes: [String] { seen.withLock { $0.mistakes } }

    func note(wasNew: Bool, oldLives: Bool, newLives: Bool) {
        seen.withLock {
            if oldLives { $0.old += 1 }
            if newLives { $0.new += 1 }
            if wasNew && oldLives { $0.mistakes.append("the old token after the new one") }
            if !oldLives && !newLives { $0.mistakes.append("neither") }
        }
    }
}
