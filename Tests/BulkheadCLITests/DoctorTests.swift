// What `bulkhead doctor` reads out of a log, and how it says what it found.

import BulkheadCLI
import Testing

@Suite struct DoctorTests {
    private static let (early, late) = ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:06.001Z")

    private func line(_ time: String, _ reason: String, request: String = "VerifyDelivery", message: String = "refused")
        -> String
    {
        "time=\(time) level=warning daemon=bulkhead-brokerd msg=\(message) request=\(request) code=unauthorized "
            + "place=delivery reason=\"\(reason)\" before=0\n"
    }

    private func last(_ log: String, anybodys: Bool = false, after time: String = "") -> String? {
        RefusalLog.last(of: "shop", anybodys: anybodys, after: time, in: log)?.reason
    }

    @Test func theLastRefusalOfTheProject() {
        let log = line(Self.early, "project 'shop': first") + line(Self.late, "project 'shop': \\\"second\\\"")
        #expect(last(log) == "project 'shop': \"second\"")
        #expect(last(log + "half a line with no end=\"") == "project 'shop': \"second\"")
    }

    @Test func notWhatAGenuineOneFollowed() {
        let log = line(Self.early, "project 'shop': first")
        #expect(last(log, after: Self.early) == nil)
        #expect(last(log, after: Self.late) == nil)
        #expect(last(log + line(Self.late, "project 'shop': again"), after: Self.early) == "project 'shop': again")
    }

    /// Names are whole: `shop` is not `shop-two`. What no key fitted is anybody's.
    @Test func notWhatIsAnothers() {
        let others =
            line(Self.early, "project 'shop-two': no") + line(Self.early, "there is no project with a key for it")
        #expect(last(others) == nil)
        #expect(last(others, anybodys: true) == "there is no project with a key for it")
        #expect(last(line(Self.late, "project 'shop-two': no"), anybodys: true) == nil)
        #expect(last(line(Self.late, "project 'shop': no", request: "OpenOrder")) == nil)
        #expect(last(line(Self.late, "project 'shop': no", message: "\"not refused\"")) == nil)
    }

    @Test func aFindingIsALineAndWhatMendsItAnother() {
        let finding = Finding(.webhookKey, .missing, project: "shop", "gone\u{1B}[2J", mend: "set it")
        #expect(
            finding.lines(mark: "MISSING") == [
                "MISSING  webhook-key  shop: gone\u{FFFD}[2J", "         -> set it",
            ])
        #expect(Finding(.api, .ok, "answers").lines(mark: "ok     ") == ["ok       api          answers"])
    }

    @Test func whereARunningHouseKeepsItsState() throws {
        let house = try #require(RunningHouse.read(["/usr/bin/bulkhead", "up", "--state", "s", "--listen=[::1]:17"]))
        #expect(house == ("s", 17))
        #expect(RunningHouse.read(["bulkhead", "up"])?.port == 7700)
        for other in [["bulkhead"], ["bulkhead", "status"], ["bulkhead-apid", "up"], ["vi", "bulkhead", "up"], []] {
            #expect(RunningHouse.read(other) == nil)
        }
    }
}
