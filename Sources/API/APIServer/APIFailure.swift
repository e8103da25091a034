// APIFailure: the one error shape of the HTTP API, and how the wire's errors become it.

import FoundationEssentials
import HTTPTypes
import JobModel
import Wire

/// An answer that is not a success: `{"error": {"code", "message", "place", "problems"}}`.
struct APIFailure: Error, Sendable {
    struct Problem: Encodable, Sendable {
        let place: String
        let message: String
    }

    struct Detail: Encodable, Sendable {
        let code: String
        let message: String
        let place: String
        let problems: [Problem]
    }

    struct Envelope: Encodable {
        let error: Detail
    }

    let status: HTTPResponse.Status
    let code: ErrorCode
    let detail: Detail
    /// Seconds, for what may succeed later.
    var retryAfter: Int?
    /// Headers that belong to this status: Allow, Content-Range.
    var headers: HTTPFields = [:]

    init(_ code: ErrorCode, _ message: String, place: String = "", problems: [Problem] = []) {
        status = Self.status(of: code)
        self.code = code
        retryAfter = code.retry == .later ? 1 : nil
        detail = Detail(code: code.name, message: message, place: place, problems: problems)
    }

    /// What a sibling daemon said, word for word; what Link says of a lost connection names sockets, which are nobody's
    /// business.
    init(_ failure: Failure) {
        let code = ErrorCode(rawValue: failure.code)
        if code == .disconnected && failure.place == "brokerd" {
            self.init(code, "bulkhead-brokerd is away, and only it knows tokens and secrets; try again in a moment")
            return
        }
        if code == .disconnected && failure.place == "relayd" {
            self.init(
                code,
                "bulkhead-relayd is away, which alone keeps logs and sources; try again in a moment, and see "
                    + "`bulkhead status`")
            return
        }
        // schedulerd names whom it has waited for; Link, which has waited for schedulerd, names nobody.
        if code == .deadlineExceeded && failure.place.isEmpty {
            self.init(
                code,
                "bulkhead-schedulerd has not answered in time; try again, and if it hangs, see its log and start it "
                    + "again")
            return
        }
        if code == .deadlineExceeded && ["brokerd", "relayd"].contains(failure.place) {
            self.init(code, "bulkhead-\(failure.text)")
            return
        }
        if code == .disconnected {
            self.init(code, "bulkhead-schedulerd is away; try again in a moment")
            return
        }
        self.init(code, failure.text.isEmpty ? code.name : failure.text, place: failure.place)
    }

    init(_ problems: JobFileProblems) {
        let list = problems.problems.map { Problem(place: $0.path, message: $0.message) }
        let first = problems.problems.first
        let count = list.count + problems.more
        let told = problems.more == 0 ? "" : "; these are the first \(list.count)"
        self.init(
            .invalid, count == 1 ? first?.message ?? "" : "there are \(count) mistakes\(told)",
            place: count == 1 ? first?.path ?? "" : "", problems: list)
    }

    private init(status: HTTPResponse.Status, code: ErrorCode, detail: Detail) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    /// What is refused before a router sees it.
    static func refusal(status: Int, reason: String, place: String = "request") -> APIFailure {
        let code: ErrorCode = status == 431 || status == 413 ? .tooLarge : .invalid
        return APIFailure(
            status: .init(code: status), code: code,
            detail: Detail(code: code.name, message: reason, place: place, problems: []))
    }

    /// No route of that name.
    static let noRoute = APIFailure(.notFound, "there is no such path; see /openapi.json", place: "path")

    /// There is the path, and not the method.
    static func wrongMethod(_ allowed: [HTTPRequest.Method]) -> APIFailure {
        let names = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        var failure = refusal(status: 405, reason: "this path takes \(names)", place: "method")
        failure.headers[.allow] = names
        return failure
    }

    var body: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(Envelope(error: detail)) else {
            return Array(#"{"error":{"code":"internal","message":"","place":"","problems":[]}}"#.utf8)
        }
        return Array(data)
    }

    /// HTTP status of an error code. Every code of `proto-spec/errors.wire` has one; a test goes through them all.
    static func status(of code: ErrorCode) -> HTTPResponse.Status {
        switch code {
        case .unauthorized: .unauthorized
        case .notFound: .notFound
        case .invalid, .incomplete, .imageRefused, .imageMissing: .badRequest
        case .deniedByPolicy, .ticketRefused, .orderRefused: .forbidden
        case .conflict, .busy, .notReady: .conflict
        case .tooLarge, .frameTooLarge: .contentTooLarge
        case .limitReached: .tooManyRequests
        case .disconnected, .shuttingDown, .engineUnavailable, .engineRefused, .usernsMissing, .runnerGone,
            .auditFailed, .grantGone, .forgeUnavailable:
            .serviceUnavailable
        case .forgeRefused: .badGateway
        case .deadlineExceeded: .gatewayTimeout
        case .storageFull: .init(code: 507, reasonPhrase: "Insufficient Storage")
        default: .internalServerError
        }
    }
}
