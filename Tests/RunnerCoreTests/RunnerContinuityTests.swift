// relayd comes and goes in the middle of everything; the log is byte for byte what the job wrote.

import Files
import Link
import Posix
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct RunnerContinuityTests {
    /// 21 MB in which every place is different.
    static let run = "seq 1 2800000"
    static func expected() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(22 << 20)
        for number in 1...2_800_000 {
            bytes.append(contentsOf: String(number).utf8)
            bytes.append(10)
        }
        return bytes
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func relaysThatDieInTheMiddle(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let child = try RunnerChild()
        var journal = Journal()
        let deaths = 10
        for life in 0...deaths {
            let relay = try TestRelay(child, journal: journal)
            // One that takes records and never acknowledges leaves a runner that is full, in the middle of a frame.
            relay.acknowledges = life % 3 != 1 || life == deaths
            try relay.attach()
            if life == 0 { try relay.start(.of([Step("log", Self.run), Step("next", "echo done")])) }
            if life == deaths {
                _ = try relay.finish()
            } else {
                let goal = (journal.output[.stdout]?.count ?? 0) + Int.random(in: 1...900_000, using: &random)
                try relay.run { relay.journal.output[.stdout]?.count ?? 0 >= goal }
            }
            try relay.die(writing: random.bytes(Int.random(in: 0...19, using: &random)))
            journal = relay.journal
        }
        #expect(journal.end?.state == .succeeded)
        #expect(journal.output[.stdout] == Self.expected() + Array("done\n".utf8), "seed \(seed)")
        #expect(journal.outcomes == [.succeeded, .succeeded])
    }

    /// Nobody is there for a while: the step waits in its write, and nothing is lost.
    @Test func aJobWithoutARelayWaits() throws {
        let child = try RunnerChild()
        let first = try TestRelay(child)
        first.acknowledges = false
        try first.attach()
        try first.start(.of([Step("log", "echo $$ > pid; \(Self.run)")]))
        try first.run { first.journal.output[.stdout]?.count ?? 0 > 900_000 }
        try first.die()
        let second = try TestRelay(child, journal: first.journal)
        try second.attach()
        #expect(try second.finish().state == .succeeded)
        #expect(second.journal.output[.stdout] == Self.expected())
    }

    /// A relayd that breaks the protocol loses its connection; the next one finds everything as it was.
    @Test func aViolationCostsTheConnectionOnly() throws {
        let child = try RunnerChild()
        let first = try TestRelay(child)
        try first.attach()
        try first.start(.of([Step("wait", "echo up; while ! test -e go; do sleep 0.01; done; echo on")]))
        try first.run { first.journal.text == "up\n" }
        try Posix.writeAll(child.input.raw, [UInt8](repeating: 0xff, count: 64))
        #expect(throws: HarnessError.self) { try first.run { false } }
        let second = try TestRelay(child, journal: first.journal)
        try second.attach()
        let go = child.directory.path + "/job/src/go"
        _ = try Posix.open(go, [.writeOnly, .create])
        #expect(try second.finish().state == .succeeded)
        #expect(second.journal.text == "up\non\n")
    }

    /// Requests before Resume are not in the table of phase `attached`.
    @Test func thePhaseIsHeld() throws {
        let relay = try TestRelay(RunnerChild())
        #expect(throws: (any Error).self) { try relay.start(.of([Step("x", "true")])) }
    }
}
