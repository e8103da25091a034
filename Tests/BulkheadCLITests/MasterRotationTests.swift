// The rotation of the master key, stopped at every point and run again. The broker is a stand-in that knows one token
// and one key at a time and changes both at its commit, as brokerd does.

import BulkheadCLI
import Foundation
import Orders
import Synchronization
import Testing
import Wire

final class FakeBroker: Sendable {
    enum Fault: CaseIterable { case none, diesBefore, diesAfter, refuses, conflicts, isAway }

    private struct State {
        var token: Bytes32
        var key: Bytes32
        var master: [UInt8]
        var fault = Fault.none
        var commits = 0
    }

    private let state: Mutex<State>

    init(token: String, key: Bytes32, master: [UInt8]) {
        state = Mutex(State(token: Hashes.token(token), key: key, master: master))
    }

    var commits: Int { state.withLock { $0.commits } }
    var master: [UInt8] { state.withLock { $0.master } }
    func fail(_ fault: Fault) { state.withLock { $0.fault = fault } }
    func knows(_ token: String) -> Bool { state.withLock { $0.token == Hashes.token(token) } }
    func knows(_ key: Bytes32) -> Bool { state.withLock { $0.key == key } }

    var house: MasterRotation.House {
        .init(
            accepts: { self.knows($0) },
            rotate: { key, token, order, master in try self.rotate(key, token, order, master) })
    }

    private func rotate(_ key: KeyFile, _ token: String, _ order: RotateOrder, _ master: [UInt8]) throws {
        try state.withLock { state in
            defer { state.fault = .none }
            switch state.fault {
            case .diesBefore: throw CommandFailure("connection lost", exit: .unavailable, code: "disconnected")
            case .refuses: throw CommandFailure("no", exit: .unauthorized, code: "order_refused")
            case .conflicts: throw CommandFailure("later", exit: .failure, code: "conflict")
            case .isAway: throw CommandFailure("away", exit: .unavailable)
            case .none, .diesAfter: break
            }
            guard state.token == Hashes.token(token), state.key == key.publicKey else {
                throw CommandFailure("not yours", exit: .unauthorized, code: "order_refused")
            }
            state.token = order.tokenHash
            state.key = order.key
            state.master = master
            state.commits += 1
            if state.fault == .diesAfter { throw CommandFailure("lost", exit: .unavailable, code: "disconnected") }
        }
    }
}

@Suite struct MasterRotationTests {
    private let folder: TestFolder
    private let broker: FakeBroker

    init() throws {
        folder = try TestFolder()
        let keys = HouseKeys(
            people: try folder.make("etc"), masterKeys: try folder.make("etc/master"),
            brokerState: try folder.make("broker"))
        _ = try keys.prepare()
        broker = FakeBroker(
            token: try folder.text("etc/admin-token").trimmingCharacters(in: .newlines),
            key: try KeyFile(parsing: folder.text("etc/admin-key")).publicKey,
            master: try folder.bytes("etc/master/current"))
    }

    private func rotate() async throws {
        try await MasterRotation(
            masterKeys: "\(folder.path)/etc/master", token: "\(folder.path)/etc/admin-token",
            key: "\(folder.path)/etc/admin-key", house: broker.house, say: { _ in }
        ).run()
    }

    /// The files and the broker say the same, and nothing is left over.
    private func expectWhole(commits: Int) throws {
        #expect(broker.commits == commits)
        #expect(broker.knows(try folder.text("etc/admin-token").trimmingCharacters(in: .newlines)))
        let key = try KeyFile(parsing: folder.text("etc/admin-key"))
        #expect(broker.knows(key.publicKey))
        let master = try folder.bytes("etc/master/current")
        #expect(master == broker.master)
        #expect(key.broker == (try BrokerKeys(master: master)).publicKey)
        for name in ["etc/master/next", "etc/admin-key.next", "etc/admin-token.next"] {
            #expect(!folder.has(name), "\(name)")
        }
        for name in ["etc/master/current", "etc/admin-key", "etc/admin-token"] {
            #expect(try folder.mode(name) == 0o600, "\(name)")
        }
    }

    @Test func everythingIsNew() async throws {
        let names = ["etc/master/current", "etc/admin-key", "etc/admin-token"]
        let before = try names.map(folder.bytes)
        try await rotate()
        for (name, old) in zip(names, before) { #expect(try folder.bytes(name) != old, "\(name)") }
        try expectWhole(commits: 1)
        try await rotate()
        try expectWhole(commits: 2)
    }

    @Test(arguments: [FakeBroker.Fault.diesBefore, .diesAfter, .isAway])
    func aBrokenConnectionIsTakenUpAgain(_ fault: FakeBroker.Fault) async throws {
        broker.fail(fault)
        await #expect(throws: CommandFailure.self) { try await rotate() }
        #expect(folder.has("etc/master/next"), "brokerd may have committed: its key must be there at its next start")
        try await rotate()
        try expectWhole(commits: 1)
    }

    @Test(arguments: [FakeBroker.Fault.refuses, .conflicts])
    func aRefusalLeavesEverythingAsItWas(_ fault: FakeBroker.Fault) async throws {
        broker.fail(fault)
        await #expect(throws: CommandFailure.self) { try await rotate() }
        try expectWhole(commits: 0)
    }

    /// Killed after any number of the renames that follow the commit.
    @Test(arguments: 0...3) func theEndIsFinishedLater(_ done: Int) async throws {
        broker.fail(.diesAfter)
        await #expect(throws: CommandFailure.self) { try await rotate() }
        let renames = [
            ("etc/admin-key.next", "etc/admin-key"), ("etc/master/next", "etc/master/current"),
            ("etc/admin-token.next", "etc/admin-token"),
        ]
        for (old, new) in renames.prefix(done) {
            #expect(rename("\(folder.path)/\(old)", "\(folder.path)/\(new)") == 0)
        }
        try await rotate()
        // With all three done there was nothing to finish: it was a rotation of its own.
        try expectWhole(commits: done == 3 ? 2 : 1)
    }

    /// Killed after any number of the files that go before the order.
    @Test(arguments: 1...2) func aBeginningIsBegunAgain(_ made: Int) async throws {
        broker.fail(.diesBefore)
        await #expect(throws: CommandFailure.self) { try await rotate() }
        for name in ["etc/admin-token.next", "etc/admin-key.next", "etc/master/next"].dropFirst(made) {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        try await rotate()
        try expectWhole(commits: 1)
    }

    /// Somebody has removed the one file that tells: nothing is guessed, since a wrong guess loses the master key.
    @Test func whatCannotBeToldIsNotGuessed() async throws {
        broker.fail(.diesAfter)
        await #expect(throws: CommandFailure.self) { try await rotate() }
        try FileManager.default.removeItem(atPath: "\(folder.path)/etc/admin-token.next")
        let next = try folder.bytes("etc/master/next")
        let current = try folder.bytes("etc/master/current")
        await #expect(throws: CommandFailure.self) { try await rotate() }
        #expect(try folder.bytes("etc/master/next") == next)
        #expect(try folder.bytes("etc/master/current") == current)
    }

    @Test func withATokenOfAnotherHouseNothingIsBegun() async throws {
        try folder.write("etc/admin-token", "bh_of-somebody-else\n")
        await #expect(throws: CommandFailure.self) { try await rotate() }
        #expect(!folder.has("etc/master/next") && !folder.has("etc/admin-token.next"))
    }

    @Test func filesOfAnotherHouseAreLeftAlone() async throws {
        broker.fail(.diesBefore)
        await #expect(throws: CommandFailure.self) { try await rotate() }
        try folder.write("etc/admin-token", "bh_of-somebody-else\n")
        await #expect(throws: CommandFailure.self) { try await rotate() }
        #expect(folder.has("etc/master/next") && folder.has("etc/admin-token.next"))
    }
}
