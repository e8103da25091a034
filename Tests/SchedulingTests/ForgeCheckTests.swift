// Whether a project's forge lets us: courierd is asked, and what is wrong there is no fault of whoever asks.

import Link
import Scheduling
import Testing
import Wire

@Suite struct ForgeCheckTests {
    private static let test = """
        {"name": "test", "checkout": false, "image": "busybox", "steps": [{"run": "make test"}]}
        """

    private func check(_ forge: ForgeCase, _ project: String = "shop") throws -> [String] {
        try forge.house.call(SchedulerEdge.CheckForge(token: Samples.token, project: project)).missing
    }

    /// Before anything has come, too: which repository it is the rules say.
    @Test func courierdIsAskedAboutTheProject() throws {
        let forge = try ForgeCase(Self.test)
        #expect(try check(forge) == ["the token may not write commit statuses"])
        let asked = try #require(forge.house.courier.checks.first)
        #expect(asked.place == .init(project: "shop", repository: ForgeRepository(id: 0, path: "-")))
        #expect(asked.branch == "main")
    }

    @Test func nobodyIsAskedForWhatIsNotThere() throws {
        let forge = try ForgeCase(Self.test)
        let none = #expect(throws: Failure.self) { try self.check(forge, "shelf") }
        #expect(none?.errorCode == .notFound)
        #expect(forge.house.courier.checks.isEmpty)
    }

    @Test func aForgeThatDoesNotTakeTheTokenIsNoCallersFault() throws {
        let forge = try ForgeCase(Self.test)
        forge.house.courier.refusals["check"] = Failure(.unauthorized, "the forge does not take the token")
        let refused = #expect(throws: Failure.self) { try self.check(forge) }
        #expect(refused?.errorCode == .forgeRefused)
    }
}
