// When a request is sent again: a table of what servers say.

import Exchange
import Testing

@Suite struct RetryTests {
    static let now: UInt64 = 1_800_000_000
    static let origin = Asking.origin("https://forge.example")
    static let get = ExchangeRequest(.get, origin, RequestTarget("/"), credential: nil)
    static let post = ExchangeRequest(.post, origin, RequestTarget("/"), credential: nil)

    static func decide(
        _ status: Int, _ headers: [(String, String)] = [], body: String = "", to request: ExchangeRequest = get,
        attempt: Int = 1, jitter: UInt32 = 0
    ) -> RetryPolicy.Decision {
        let answer = ExchangeAnswer(
            status: status, headers: headers.map { HeaderField($0.0, $0.1) }, body: Array(body.utf8))
        return RetryPolicy().decide(.answer(answer), to: request, attempt: attempt, now: now, jitter: jitter)
    }

    @Test(arguments: [200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 410, 422])
    func whatIsSaidIsSaid(_ status: Int) { #expect(Self.decide(status) == .final) }

    @Test(arguments: [408, 500, 502, 503, 504])
    func whatMayPassIsAskedAgain(_ status: Int) { #expect(Self.decide(status) == .again(after: .seconds(1))) }

    @Test func whatMayHaveHappenedIsNotDoneTwice() {
        for status in [408, 500, 502, 504] { #expect(Self.decide(status, to: Self.post) == .final) }
        for status in [429, 503] { #expect(Self.decide(status, to: Self.post) != .final) }
        let policy = RetryPolicy()
        func lost(_ request: ExchangeRequest, _ wasSent: Bool) -> RetryPolicy.Decision {
            policy.decide(.none(wasSent: wasSent), to: request, attempt: 1, now: Self.now, jitter: 0)
        }
        #expect(lost(Self.post, true) == .final)
        #expect(lost(Self.post, false) == .again(after: .seconds(1)))
        #expect(lost(Self.get, true) == .again(after: .seconds(1)))
    }

    @Test func itWaitsLongerEachTimeAndThenGivesUp() {
        let waits = (1...8).map { Self.decide(503, attempt: $0) }
        #expect(waits == [1, 2, 4, 8, 16, 32, 64].map { .again(after: .seconds($0)) } + [.giveUp])
        var patient = RetryPolicy()
        patient.attempts = .max
        let late = patient.decide(.none(wasSent: false), to: Self.get, attempt: 1_000_000, now: 0, jitter: 0)
        #expect(late == .again(after: .seconds(300)))
    }

    @Test func nobodyComesBackTogether() {
        #expect(Self.decide(503, jitter: 512) == .again(after: .milliseconds(1250)))
        for jitter: UInt32 in [0, 1, 1023, 1024, .max] {
            guard case .again(let wait) = Self.decide(503, jitter: jitter) else { continue }
            #expect(wait >= .seconds(1) && wait < .milliseconds(1500))
        }
    }

    /// GitHub, GitLab and Gitea, and the forms that the standards allow.
    @Test(arguments: [
        (429, ["Retry-After": "17"], 17), (429, ["Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"], 61),
        (429, [:], 60), (403, ["retry-after": "5"], 5), (503, ["Retry-After": "30"], 30),
        (403, ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000100"], 101),
        (429, ["RateLimit-Remaining": "0", "RateLimit-Reset": "1800000009"], 10),
        (429, ["RateLimit-Remaining": "0", "RateLimit-Reset": "40"], 40),
        (429, ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"], 1),
    ])
    func aServersWordCounts(_ status: Int, _ headers: [String: String], _ seconds: Int) {
        let decision = Self.decide(status, headers.map { ($0.key, $0.value) })
        #expect(decision == .again(after: .seconds(seconds)))
    }

    @Test func secondaryLimitsAreKnownByTheirText() {
        let body = #"{"message":"You have exceeded a secondary rate limit. Please wait."}"#
        #expect(Self.decide(403, body: body) == .again(after: .seconds(60)))
        #expect(Self.decide(403, body: #"{"message":"Resource not accessible by integration"}"#) == .final)
        #expect(Self.decide(403, [("X-RateLimit-Remaining", "12")]) == .final)
    }

    /// A hostile server makes nobody wait for ever, and gets nobody back sooner.
    @Test func aServersWordHasBounds() {
        #expect(Self.decide(429, [("Retry-After", "999999999999")]) == .again(after: .seconds(3660)))
        #expect(Self.decide(429, [("Retry-After", "0")], attempt: 5) == .again(after: .seconds(16)))
        for word in ["-1", "1e9", "99999999999999999999", "soon", ""] {
            #expect(Self.decide(429, [("Retry-After", word)]) == .again(after: .seconds(60)), "\(word)")
        }
        #expect(Self.decide(429, [("Retry-After", "1"), ("Retry-After", "2")]) == .again(after: .seconds(60)))
    }

    @Test func datesAreDates() {
        #expect(HTTPDate.seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.seconds("Thu, 29 Feb 2024 23:59:59 GMT") == 1_709_251_199)
        for text in [
            "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:+7 GMT",
        ] { #expect(HTTPDate.seconds(text) == nil, "\(text)") }
    }
}
