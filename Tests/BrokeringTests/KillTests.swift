// kill -9 at the points between which something can be half done: afterwards nothing that could be read is left in the
// grants, and the store and the chain are whole.

import Files
import Link
import LinkBlocking
import Orders
import Posix
import Processes
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct KillTests {
        /// S9: 25 deaths at each point, each at another passing of it as far as there are some.
        @Test(arguments: Point.allCases) func nothingIsLeft(_ point: Point) throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3], "other": [4]])
            var known: Set<String> = ["deploy", "other"]
            var deaths = 0
            for round in 0..<25 {
                try house.stop()
                if let status = try house.start(BrokerOptions(dieAt: point, dieAfter: round % 3)) {
                    // It can die as early as in the wipe of its start.
                    #expect(status == .signalled(Signal.kill))
                } else {
                    let asked = work(house, round)
                    #expect(house.wait() == .signalled(Signal.kill))
                    try checkStore(house, &known, asked)
                }
                deaths += 1
                #expect(try house.start() == nil, "\(house.errors)")
                #expect(try house.grantFiles().isEmpty)
                #expect(Set(try house.scheduler().secrets(house.admin)) == known)
                try house.stop()
                _ = try AuditLog.verify("\(house.directory.path)/state/audit.log")
            }
            #expect(deaths == 25)
        }

        /// The control: without the wipe of the start, what the dead broker had written is there to be read.
        @Test(arguments: [Point.grantTemporary, .grantRenamed, .midWipe])
        func withoutTheWipeSomethingIsLeft(_ point: Point) throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3], "other": [4]])
            try house.restart(BrokerOptions(dieAt: point))
            _ = work(house, 0)
            #expect(house.wait() == .signalled(Signal.kill))
            try house.start(BrokerOptions(wipes: false))
            #expect(try !house.grantFiles().isEmpty)
        }

        /// A job's life and a new secret, again and again until the broker is gone. The secrets that were asked for,
        /// and whether the broker said that they are set.
        private func work(_ house: BrokerHouse, _ round: Int) -> [(name: String, isSaid: Bool)] {
            var asked: [(name: String, isSaid: Bool)] = []
            do {
                let (client, relay) = (try house.scheduler(), try house.relay())
                for turn in 0..<10 {
                    let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy", "other"]))
                    let runner = try RunnerSide(client, house)
                    let attempt = Attempt(job: UInt64(round * 100 + turn), attempt: 1, epoch: 1)
                    try client.grant(ticket, runner, attempt)
                    try relay.open(MaskEdge.WatchMasks(attempt: attempt)) { (_, _: consuming FDBundle) -> Bool in false
                    }
                    try client.wipe(runner.grant)
                    asked.append(("s\(round)-\(turn)", false))
                    try client.execute(house.admin, try house.admin.set("s\(round)-\(turn)", [1]))
                    asked[asked.count - 1].isSaid = true
                    try client.discard(runner.grant)
                }
                Issue.record("it did not die")
            } catch let failure as Failure {
                #expect(failure.errorCode == .disconnected)
            } catch {
                Issue.record("\(error)")
            }
            return asked
        }

        /// What was said to be set is set; what was only asked for may be.
        private func checkStore(
            _ house: BrokerHouse, _ known: inout Set<String>, _ asked: [(name: String, isSaid: Bool)]
        ) throws {
            let keys = [try BrokerKeys(master: house.master)]
            let store = try SealedStore(opening: "\(house.directory.path)/state", keys)
            let found = Set(try #require(store).content.secrets.map(\.name))
            #expect(found.isSuperset(of: known.union(asked.filter(\.isSaid).map(\.name))))
            #expect(found.isSubset(of: known.union(asked.map(\.name))))
            known = found
        }
    }
}
