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
                          {"kind": "ended", "text": "an image's\u001b[31m name", "advice": ""}]}
                """#.utf8))
        #expect(
            answer.lines == [
                "  all 2 runners are in use  (since 2026-01-02T03:04:05.678Z)", "    -> wait",
                "  an image's\u{FFFD}[31m name", "history", "  2026-01-02T03:04:05.678Z  submitted: QUEUED",
            ])
    }
}
