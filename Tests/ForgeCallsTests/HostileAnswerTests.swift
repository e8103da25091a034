// Answers that are none, and those that could be read in two ways.

import Documents
import Exchange
import ForgeCalls
import ForgeModel
import Testing

@Suite struct HostileAnswerTests {
    @Test func eachStatusIsAProblemOfItsKind() {
        let problems: [Int: ForgeProblem] = [
            301: .redirected, 302: .redirected, 400: .refused(status: 400), 401: .unauthorized, 403: .forbidden,
            404: .missing, 409: .conflict, 410: .missing, 422: .refused(status: 422), 500: .broken(status: 500),
            503: .broken(status: 503), 100: .broken(status: 100),
        ]
        for (status, problem) in problems {
            for provider in QuestionTests.providers {
                #expect(provider.problem(.account, Made.answer("{}", status: status)) == problem, "\(status)")
            }
        }
    }

    @Test func whoWeAreIsRead() throws {
        let answer = Made.answer(#"{"id":7,"login":"bulkhead","username":"bulkhead"}"#)
        for provider in QuestionTests.providers {
            #expect(try provider.run(.account, answer).result == .account(Made.us))
        }
    }

    @Test func aPageForPeopleIsNoAnswer() {
        let page = ExchangeAnswer(
            status: 200, headers: [HeaderField("Content-Type", "text/html")],
            body: Array(#"{"id":7,"login":"x"}"#.utf8))
        for provider in QuestionTests.providers { #expect(provider.problem(.account, page) == .field("content-type")) }
    }

    @Test func whatCouldBeReadInTwoWaysIsNotRead() {
        for body in [
            #"{"id":8,"id":7,"login":"x"}"#, #"{"ID":8,"id":7,"login":"x"}"#, #"{"Id":7,"login":"x"}"#,
            #"{"id":7,"login":"x","\u0049d":8}"#,
        ] {
            guard case .document(.twice)? = Made.github.problem(.account, Made.answer(body)) else {
                Issue.record("\(body) is read")
                continue
            }
        }
    }

    @Test(arguments: [
        "", "null", "[]", "7", "{}", #"{"id":"7","login":"x"}"#, #"{"id":7.5,"login":"x"}"#, #"{"id":7}"#,
        #"{"id":7,"login":""}"#, #"{"id":7,"login":"a\nb"}"#, #"{"id":7,"login":["x"]}"#, #"{"id":7,"login":"x"} {}"#,
        #"{"id":99999999999999999999,"login":"x"}"#, "{\"id\":7,\"login\":\"\u{0}\"}",
    ])
    func whatIsNotWhatItHasToBeIsRefused(_ body: String) {
        for provider in [Made.github, Made.gitea] as [any ForgeProvider] {
            #expect(provider.problem(.account, Made.answer(body)) != nil)
        }
    }

    @Test func depthAndNumberAreBounded() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        guard case .document(.tooDeep)? = Made.github.problem(.account, Made.answer(#"{"x":\#(deep)}"#)) else {
            Issue.record("depth is not bounded")
            return
        }
        let many = "[" + String(repeating: "0,", count: 100_000) + "0]"
        #expect(Made.github.problem(.account, Made.answer(#"{"x":\#(many)}"#)) == .document(.tooMany))
    }

    /// Postings whose answer has no number are no postings.
    @Test func aCommentWithoutANumberIsNotRemembered() {
        let call = CommentTests.call()
        for body in ["{}", #"{"id":-1}"#, #"{"id":"1"}"#, "[]"] {
            #expect(Made.github.problem(call, CommentTests.comments(), Made.answer(body, status: 201)) != nil)
        }
    }
}
