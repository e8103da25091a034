// What a forge is told: each state of its jobs once and in order, one comment below a change, and nothing is lost with
// whoever was about to say it.

import Foundation
import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct PostingTests {
    private static let test = """
        {"name": "test", "checkout": false, "image": "busybox", "steps": [{"run": "make test"}]}
        """

    private func ends(_ forge: ForgeCase, _ state: JobState = .succeeded) throws {
        let relay = forge.house.relay
        try forge.house.run("told") { relay.jobs.count == 1 }
        let attempt = try relay.attempt()
        relay.begin(attempt)
        try forge.house.run("runs") { try forge.house.state(attempt.job) == .running }
        relay.finish(attempt, state)
        try forge.house.run("ended") { try forge.house.state(attempt.job) == state }
    }

    private func states(_ forge: ForgeCase) -> [CourierEdge.StatusState] { forge.house.courier.statuses.map(\.state) }

    @Test func eachStateInItsOrder() throws {
        let forge = try ForgeCase(Self.test, { $0.publicURL = "https://ci.example.org" })
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("pending") { self.states(forge) == [.pending] }
        try ends(forge)
        try forge.house.run("success") { self.states(forge).last == .success }
        #expect([[.pending, .running, .success], [.pending, .success]].contains(states(forge)))
        let status = try #require(forge.house.courier.statuses.last)
        #expect(status.commit == ForgeCase.head && status.context == "bulkhead/test (push)")
        #expect(status.reference == GitReference(tag: false, name: "main"))
        #expect(status.url == "https://ci.example.org/jobs/1")
        #expect(status.text == "job 1 succeeded")
        forge.house.settle()
        #expect(forge.house.courier.comments.isEmpty, "a push has no change")
        // A restart says nothing twice.
        let count = states(forge).count
        try forge.house.restart()
        forge.house.settle()
        #expect(states(forge).count == count)
    }

    @Test func aChangeHasOneComment() throws {
        let forge = try ForgeCase(Self.test)
        try forge.deliver(1, ForgeCase.change())
        _ = try forge.newest(.held)
        try forge.house.run("comment") { forge.house.courier.comments.count == 1 }
        let first = try #require(forge.house.courier.comments.first)
        #expect(first.number == 7 && first.text.contains("/bulkhead approve \(ForgeCase.head) into main"))
        #expect(forge.house.courier.statuses.map(\.state) == [.held])
        #expect(forge.house.courier.statuses.first?.context == "bulkhead/test")
        #expect(
            forge.house.courier.statuses.first?.text.contains("/bulkhead approve \(ForgeCase.head) into main") == true)
        #expect(forge.house.courier.statuses.first?.reference == nil, "a fork's branch is none of ours")
        try forge.deliver(2, ForgeCase.wish())
        try ends(forge, .failed)
        try forge.house.run("its end") { forge.house.courier.comments.last?.text.contains("failed") == true }
        #expect(Set(forge.house.courier.comments.map(\.marker)) == ["changes"])
        #expect(forge.house.courier.comments.last?.text.contains("approve") == false)
        try forge.house.run("its status") { self.states(forge).last == .failure }
    }

    @Test func whatWasNotPostedIsPostedLater() throws {
        let forge = try ForgeCase(Self.test, before: { $0.withoutCourier() })
        try forge.deliver(1, ForgeCase.change())
        let row = try forge.newest(.held)
        _ = try forge.house.call(
            SchedulerEdge.ApproveJob(token: Samples.token, job: try #require(row.jobs.first), order: Samples.order))
        try ends(forge)
        #expect(forge.house.courier.calls.isEmpty)
        forge.house.courier.comesUp = true
        try forge.house.restart()
        try forge.house.run("both") {
            self.states(forge) == [.success] && forge.house.courier.comments.last?.text.contains("succeeded") == true
        }
    }

    @Test func aForgeThatHasEnoughOfUsIsAskedLater() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["status"] = Failure(.deadlineExceeded, "429: later")
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("again") { forge.house.courier.count("status") > 2 }
        #expect(states(forge).isEmpty)
        forge.house.courier.refusals = [:]
        try forge.house.run("told") { !self.states(forge).isEmpty }
    }

    /// Somebody mends the token: what comes then is told, and no state that was refused is said again.
    @Test func whatTheForgeRefusesIsSaidOnce() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["status"] = Failure(.deniedByPolicy, "403: the token may not write statuses")
        try forge.deliver(1, ForgeCase.push())
        try forge.house.run("noted") { try self.text(forge).contains("may not write statuses") }
        forge.house.settle()
        #expect(forge.house.courier.count("status") == 1)
        forge.house.courier.refusals = [:]
        try ends(forge)
        try forge.house.run("told") { self.states(forge).last == .success }
        #expect(try text(forge).components(separatedBy: "may not write").count == 2)
    }

    /// In their order, and so one after the other, also when courierd has come back.
    @Test func oneThingAtATime() throws {
        let forge = try ForgeCase(Self.test + "," + Self.test.replacing(#""test""#, with: #""lint""#))
        forge.house.courier.slow = ["status"]
        try forge.deliver(1, ForgeCase.push())
        #expect(try forge.newest(.planned).jobs.count == 2)
        try forge.house.run("asked") { forge.house.courier.count("status") == 1 }
        forge.house.courier.down()
        forge.house.courier.up()
        forge.house.settle()
        #expect(forge.house.courier.count("status") == 2)
    }

    /// courierd is there and says that brokerd is not: nobody else would wake it.
    @Test func aBrokerThatIsAwayForAMomentLosesNoStatus() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["status"] = Failure(.disconnected, "brokerd is away")
        try forge.deliver(1, ForgeCase.push())
        try ends(forge)
        try forge.house.run("asked again") { forge.house.courier.count("status") > 2 }
        forge.house.courier.refusals = [:]
        try forge.house.run("told") { self.states(forge) == [.success] }
    }

    private func text(_ forge: ForgeCase) throws -> String { try #require(try forge.deliveries().first).text }

    @Test func namesCannotDressUp() throws {
        let forge = try ForgeCase(Self.test.replacing(#""name": "test""#, with: #""name": "a|b <img> @ada""#))
        try forge.deliver(1, ForgeCase.change())
        try forge.house.run("comment") { !forge.house.courier.comments.isEmpty }
        let text = try #require(forge.house.courier.comments.first?.text)
        #expect(text.contains(#"| a\|b \<img\> \@ada |"#))
    }
}
