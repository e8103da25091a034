// `bulkhead why` as a person reads it.

import BulkheadCLI
import Foundation
import Testing

@Suite struct WhyTests {
    @Test func theFirstThingFirstThenWhatToDoThenWhatHappened() throws {
        let answer = try JSONDecoder().decode(
            WhyAnswer.self,
            from: Data(
                #"""
                {"state": "QUEUED", "history": [{"at": "2026-01-02T03:04:05.678Z", "text": "submitted: QUEUED"}],
                 "whys": [{"kind": "all_runners_in_use", "text": "all 2 runners are in use", "advice": "wait",
                           "since": "2026-01-02T03:04:05.678Z"},
                          {"kind": "next_in_line", "text": "an image's\u001b[31m name", "advice": ""}]}
                """#.utf8))
        #expect(
            answer.lines == [
                "  all 2 runners are in use  (since 2026-01-02T03:04:05.678Z)", "    -> wait",
                "  an image's\u{FFFD}[31m name", "history", "  2026-01-02T03:04:05.678Z  submitted: QUEUED",
            ])
    }

    private func answer(_ state: String, _ kind: String, _ text: String) throws -> WhyAnswer {
        let since = #""since": "2026-01-02T03:04:05.678Z""#
        let why = #"{"kind": "\#(kind)", "text": "\#(text)", "advice": "", \#(since)}"#
        return try JSONDecoder().decode(
            WhyAnswer.self, from: Data(#"{"state": "\#(state)", "history": [], "whys": [\#(why)]}"#.utf8))
    }

    /// An end has a moment, and the state is not said twice.
    @Test func anEndIsAtAMoment() throws {
        let lines = try answer("FAILED", "ended", "step 1 failed").lines
        #expect(lines == ["  step 1 failed  (at 2026-01-02T03:04:05.678Z)"])
    }

    /// Seconds that run are no news; another reason is.
    @Test func whoFollowsIsToldOfEachReasonOnce() throws {
        let first = try answer("QUEUED", "engine_unavailable", "the engine has not answered for 1 s")
        let later = try answer("QUEUED", "engine_unavailable", "the engine has not answered for 2 s")
        let other = try answer("QUEUED", "draining", "the house is draining")
        #expect(first.subject == later.subject && first.subject != other.subject)
        #expect(first.headline == "QUEUED: the engine has not answered for 1 s")
        #expect(first.isWaiting)
        #expect(try !answer("RUNNING", "runs", "it runs").isWaiting)
    }
}
