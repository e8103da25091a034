// Job tokens: how long a job may speak for itself.

import Link
import LinkBlocking
import Posix
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct TokenTests {
        private let attempt = Attempt(job: 7, attempt: 1, epoch: 3)

        /// A job without secrets has a token, too, if it asked for a grant.
        private func job(_ house: BrokerHouse) throws -> (RunnerSide, Ticket, String) {
            let client = try house.scheduler()
            let ticket = try client.call(Wish().vouch(house.admin, order: nil)).message.ticket
            let runner = try RunnerSide(client, house)
            try client.grant(ticket, runner, attempt)
            return (runner, ticket, try runner.open().token)
        }

        @Test func aTokenSpeaksForItsAttempt() throws {
            let house = try BrokerHouse.running()
            let (_, _, token) = try job(house)
            #expect(token.hasPrefix("bj1.7.1.3.1.") && token.utf8.count <= 160)
            #expect(try house.scheduler().caller(token) == .job(.init(attempt: attempt, project: "default")))
            #expect(try house.scheduler().caller(house.admin.token) == house.admin.word)
        }

        /// Whoever reaches the API must not fill the disk with lines.
        @Test func wrongTokensAreCountedAndNotListed() throws {
            let house = try BrokerHouse.running()
            let client = try house.scheduler()
            for number in 0..<500 {
                #expect(try refusal { _ = try client.caller("wrong \(number)") } == .unauthorized)
            }
            let lines = try house.directory.text("stderr").split(separator: "\n").filter { $0.contains("msg=refused") }
            // One a second: as many as that takes, and not as many as there were.
            #expect(!lines.isEmpty && lines.count < 100, "\(lines.count) lines")
        }

        @Test func aTokenDiesWithItsGrant() throws {
            let house = try BrokerHouse.running()
            let (runner, _, token) = try job(house)
            let client = try house.scheduler()
            try client.wipe(runner.grant)
            _ = try client.caller(token)  // taken, and alive
            try client.discard(runner.grant)
            for _ in 0..<3 { #expect(try refusal { _ = try client.caller(token) } == .unauthorized) }
            let denied = try house.audited(.tokenDenied)
            #expect(denied.count == 1 && denied[0].contains("job=7 attempt=1 epoch=3"))
        }

        @Test func aTokenLivesAgainWithItsGrant() throws {
            let house = try BrokerHouse.running()
            let (runner, ticket, token) = try job(house)
            try house.restart()
            let client = try house.scheduler()
            // Until schedulerd has said which jobs run, nobody is told that his job has ended.
            #expect(try refusal { _ = try client.caller(token) } == .notReady)
            try client.reconcile([runner.grant])
            #expect(try refusal { _ = try client.caller(token) } == .unauthorized)
            try client.grant(ticket, runner, attempt, taken: true)
            #expect(try client.caller(token) == .job(.init(attempt: attempt, project: "default")))
            try client.discard(runner.grant)
            #expect(try refusal { _ = try client.caller(token) } == .unauthorized)
            #expect(try house.audited(.tokenDenied).count == 2)
        }

        @Test func nobodyMakesOne() throws {
            let house = try BrokerHouse.running()
            let (_, _, token) = try job(house)
            let client = try house.scheduler()
            let mac = String(token.suffix(64))
            let forged = [
                "bj1.7.2.3.1.\(mac)", "bj1.8.1.3.1.\(mac)", "bj1.7.1.3.2.\(mac)", "bj1.7.1.3.1.\(mac.dropLast())",
                "bj1.7.1.3.1.\(String(mac.reversed()))", "bj1.07.1.3.1.\(mac)", "bj1.7.1.3.1.\(mac.uppercased())",
                "bj1.", "bj1.....", "", token + ".", token + "\n",
            ]
            for text in forged where text != token {
                #expect(try refusal { _ = try client.caller(text) } == .unauthorized, "\(text)")
            }
            #expect(try house.audited(.tokenDenied).isEmpty)
            // A job gives no orders and gets no tickets.
            var vouch = Wish().vouch(house.admin, order: nil)
            vouch.token = token
            #expect(try refusal { _ = try client.call(vouch) } == .unauthorized)
            #expect(
                try refusal { _ = try client.call(BrokerEdge.ListSecrets(token: token, project: "default", after: "")) }
                    == .unauthorized)
        }
    }
}
