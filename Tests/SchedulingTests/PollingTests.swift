// A forge that tells nobody is asked what is new: what it says is a delivery like any other, once.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct PollingTests {
    private static let test = """
        {"name": "test", "checkout": false, "image": "busybox", "steps": [{"run": "make test"}]}
        """

    private func house(_ name: String, polling: Bool = true) throws -> (House, Bytes32) {
        let house = try House { $0.pollPause = .milliseconds(5) }
        return (house, try apply(house, polling: polling))
    }

    @discardableResult
    private func apply(_ house: House, polling: Bool) throws -> Bytes32 {
        let document = """
            {"name": "shop", "forge": {"kind": "github"}, "repository": {"id": 4711, "path": "acme/shop"},
             "polling": \(polling), "default_branch": "main", "jobs": [\(Self.test)]}
            """
        let request = SchedulerEdge.ApplyProject(
            token: Samples.token, order: Samples.order, document: Array(document.utf8))
        return try house.call(request).revision
    }

    private func word(_ name: UInt64, _ revision: Bytes32, _ event: ForgeEvent) -> DeliveryWord {
        DeliveryWord(
            delivery: Bytes32(name, 0, 0, 0), project: "shop", revision: revision, event: event, generation: 1,
            issuedMs: 1, mac: Bytes32(name, 7, 7, 7))
    }

    private func deliveries(_ house: House) throws -> [SchedulerEdge.DeliverySummary] {
        try house.call(
            SchedulerEdge.ListDeliveries(token: Samples.token, project: "shop", before: 0, limit: 50)
        ).deliveries
    }

    @Test func whatIsNewIsADelivery() throws {
        let (house, revision) = try house("news")
        let push = word(1, revision, ForgeCase.push())
        house.courier.news = [
            .init(cursor: [1], events: [], more: false), .init(cursor: [2], events: [push], more: true),
            .init(cursor: [3], events: [push], more: false),
        ]
        try house.run("its job") { try self.deliveries(house).first?.jobs.count == 1 }
        try house.run("goes on") { house.courier.cursors.last == [3] }
        #expect(try deliveries(house).count == 1, "what is found twice is known")
        #expect(Array(house.courier.cursors.drop { $0.isEmpty }.prefix(3)) == [[1], [2], [3]])
        // It goes on where it was.
        try house.restart()
        let asked = house.courier.cursors.count
        try house.run("asked again") { house.courier.cursors.count > asked }
        #expect(house.courier.cursors[asked] == [3])
    }

    @Test func whoIsToldIsNotAsked() throws {
        let (house, _) = try house("told", polling: false)
        house.settle()
        #expect(house.courier.cursors.isEmpty)
        // The control, and back.
        try apply(house, polling: true)
        try house.run("asked") { !house.courier.cursors.isEmpty }
        try apply(house, polling: false)
        house.settle()
        let asked = house.courier.cursors.count
        for _ in 0..<20 { house.loop.runPass(waiting: .milliseconds(2)) }
        #expect(house.courier.cursors.count <= asked + 1)
    }

    @Test func aForgeThatFailsRests() throws {
        let (house, revision) = try house("fails")
        house.courier.refusals["poll"] = Failure(.deadlineExceeded, "429")
        try house.run("asked") { house.courier.count("poll") > 2 }
        house.courier.news = [.init(cursor: [1], events: [word(1, revision, ForgeCase.push())], more: false)]
        house.courier.refusals = [:]
        try house.run("its job") { try self.deliveries(house).first?.jobs.count == 1 }
    }

    @Test func aCursorThatIsWorthNothingBeginsAnew() throws {
        let (house, _) = try house("cursor")
        house.courier.news = [.init(cursor: [9], events: [], more: false)]
        try house.run("kept") { house.courier.cursors.last == [9] }
        house.courier.refusals["poll"] = Failure(.invalid, "not a cursor of courierd's", place: "cursor")
        try house.run("anew") { house.courier.cursors.last == [] }
    }
}
