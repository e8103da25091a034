// Route: one row of the API. The router and the OpenAPI document are both made from the table of these rows, so the
// document cannot say what the server does not do.

import FoundationEssentials
import HTTPTypes
import Hummingbird
import JobModel
import NIOCore
import Wire

/// A parameter in the path, the query or a header, as OpenAPI describes it.
struct RouteParameter: Sendable {
    enum Location: String, Sendable {
        case path, query, header
    }

    let name: String
    let location: Location
    /// A JSON Schema type: string, integer, boolean.
    let type: String
    let about: String

    init(_ name: String, in location: Location, _ type: String, _ about: String) {
        self.name = name
        self.location = location
        self.type = type
        self.about = about
    }
}

/// Who may call.
enum RouteScope: String, Sendable {
    /// Nobody asks who you are.
    case open
    /// A bearer token, which schedulerd judges. Without one nothing of the request is read.
    case token
}

/// What a request's body is, and how large it may be.
enum RouteBody: Sendable {
    case none
    /// JSON of at most `limit` bytes, described by the named schema.
    case json(schema: String, limit: Int)
    /// At most `limit` bytes that are not JSON.
    case bytes(mediaType: String, limit: Int)
    /// A stream of bytes; schedulerd knows the limit.
    case stream(mediaType: String)
}

struct Route: Sendable {
    let method: HTTPRequest.Method
    /// With `{id}` for what varies.
    let path: String
    let scope: RouteScope
    let operation: String
    let summary: String
    var parameters: [RouteParameter] = []
    var body = RouteBody.none
    /// Status, description and schema name (nil: not JSON) of the successes.
    let successes: [(status: Int, about: String, schema: String?)]
    let handle: @Sendable (APIRequest) async throws -> Response

    static let jsonLimit = JobFile.Bounds.bytes
}

extension Route {
    /// The answer to a request. Who shows no token at all costs a look at the head, and neither a parser nor
    /// schedulerd.
    func answer(_ request: APIRequest) async throws -> Response {
        if scope == .token && request.token.isEmpty {
            throw APIFailure(.unauthorized, "the token is missing or wrong", place: "token")
        }
        return try await handle(request)
    }
}

/// A request as a handler sees it: after the guard, with the parts that handlers ask for.
struct APIRequest: Sendable {
    let request: Request
    let context: APIContext

    /// The bearer token: schedulerd says what it is worth. Empty only where none is needed.
    var token: String {
        guard let value = request.headers[.authorization], value.hasPrefix("Bearer ") else { return "" }
        return String(value.dropFirst(7).prefix(256))
    }

    func id() throws(APIFailure) -> UInt64 {
        guard let text = context.parameters.get("id"), let id = UInt64(text), id > 0 else {
            throw APIFailure(.notFound, "there is no such job; a job's id is a number", place: "id")
        }
        return id
    }

    /// The project that the path names.
    func project() throws(APIFailure) -> String {
        guard let name = context.parameters.get("project"), JobFile.isProjectName(name) else {
            throw APIFailure(.notFound, "there is no such project", place: "project")
        }
        return name
    }

    func query(_ name: String) -> String? {
        request.uri.queryParameters[name[...]].map { String($0) }
    }

    /// A whole number of the query, within `range`; `standard` when it is not given.
    func number(_ name: String, in range: ClosedRange<UInt64>, standard: UInt64) throws(APIFailure) -> UInt64 {
        guard let text = query(name) else { return standard }
        guard let number = UInt64(text), range.contains(number) else {
            throw APIFailure(
                .invalid, "must be a whole number between \(range.lowerBound) and \(range.upperBound)", place: name)
        }
        return number
    }

    /// The whole body, if it is no longer than `limit`.
    func bytes(limit: Int) async throws -> [UInt8] {
        do {
            var buffer = try await request.body.collect(upTo: limit)
            return buffer.readBytes(length: buffer.readableBytes) ?? []
        } catch is NIOTooManyBytesError {
            throw APIFailure(.tooLarge, "the body is larger than \(limit) bytes", place: "body")
        }
    }
}

extension Response {
    /// A JSON answer in snake_case.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(value)
        return json(bytes: Array(data), status: status)
    }

    static func json(bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func failure(_ failure: APIFailure) -> Response {
        var response = json(bytes: failure.body, status: failure.status)
        if let seconds = failure.retryAfter { response.headers[.retryAfter] = String(seconds) }
        for field in failure.headers { response.headers.append(field) }
        if failure.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
