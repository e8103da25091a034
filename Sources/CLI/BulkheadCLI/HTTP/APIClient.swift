// APIClient: the CLI's side of the HTTP API. One method per way of talking; the commands know the routes.

import Foundation

/// Where the API is and who asks: `BULKHEAD_URL` and `BULKHEAD_TOKEN`, or what `bulkhead up` left in its state
/// directory.
struct APIClient: Sendable {
    static let defaultURL = "http://127.0.0.1:7700"

    let base: URL
    var token: String?

    /// `files` is where the house keeps the admin's files; the token there is used when BULKHEAD_TOKEN is not set.
    init(url: String?, files: OperatorFiles) throws {
        let environment = ProcessInfo.processInfo.environment
        let text = url ?? environment["BULKHEAD_URL"] ?? Self.defaultURL
        guard let base = URL(string: text), base.scheme == "http" || base.scheme == "https", base.host != nil else {
            throw CommandFailure(
                "'\(text)' is not a URL like \(Self.defaultURL); mend BULKHEAD_URL or --url", exit: .usage)
        }
        self.base = base
        if let token = environment["BULKHEAD_TOKEN"], !token.isEmpty {
            self.token = token
        } else {
            token = (try? String(contentsOfFile: files.token, encoding: .utf8))?.trimmingCharacters(
                in: .whitespacesAndNewlines)
        }
    }

    /// A request with the token, a path and a query; no body.
    func request(_ method: String, _ path: String, query: [String: String] = [:]) throws -> HTTPRequest {
        guard var parts = URLComponents(url: base, resolvingAgainstBaseURL: false) else {
            throw CommandFailure("'\(base)' is not a usable URL; mend BULKHEAD_URL or --url", exit: .usage)
        }
        parts.path = (parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path) + path
        if !query.isEmpty {
            parts.queryItems = query.sorted { $0.key < $1.key }.map { URLQueryItem(name: $0.key, value: $0.value) }
        }
        guard let url = parts.url else { throw CommandFailure("cannot make a URL for \(path)", exit: .usage) }
        var request = HTTPRequest(method: method, url: url.absoluteString)
        if let token { request.headers["Authorization"] = "Bearer \(token)" }
        request.headers["Accept"] = "application/json"
        return request
    }

    /// The body of a successful answer. Throws a `CommandFailure` that says what the server said and what to do. While
    /// the daemons are starting or one of them restarts (503, or the connection breaks), what may be asked twice is
    /// asked again for some seconds.
    func send(_ request: HTTPRequest, repeatable: Bool = false) async throws -> Data {
        let isRepeatable = repeatable || request.method == "GET" || request.headers["Idempotency-Key"] != nil
        let end = ContinuousClock.now + .seconds(10)
        var wasCut = false
        while true {
            do {
                let answer = try await Transfer.run(request)
                guard answer.status == 503, isRepeatable, ContinuousClock.now < end else {
                    try check(answer)
                    return answer.body
                }
            } catch let failure as HTTPFailure {
                wasCut = wasCut || failure.wasSent
                guard wasCut, isRepeatable, ContinuousClock.now < end else {
                    throw CommandFailure(failure, of: request, at: base, wasSent: wasCut)
                }
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Sends JSON.
    func send(_ request: HTTPRequest, json: Data) async throws -> Data {
        var request = request
        request.body = .bytes(Array(json))
        request.headers["Content-Type"] = "application/json"
        return try await send(request)
    }

    /// Sends a file as the body; `request` names where.
    func upload(_ request: HTTPRequest, file: String, size: UInt64) async throws -> Data {
        var request = request
        request.timeout = 3600
        request.headers["Content-Type"] = "application/x-tar"
        request.body = .file(file, size: size)
        do {
            let answer = try await Transfer.run(request)
            try check(answer)
            return answer.body
        } catch let failure as HTTPFailure {
            throw CommandFailure(failure, of: request, at: base, wasSent: failure.wasSent)
        }
    }

    func decoded<Value: Decodable>(_ type: Value.Type, _ data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: data)
        } catch {
            let place = CommandFailure.place(of: error)
            throw CommandFailure(
                "the server at \(base) answered something this version does not read"
                    + (place.isEmpty ? "" : " (at \(Terminal.printable(place)))")
                    + ": is it Bulkhead, of this version? mend BULKHEAD_URL or --url", exit: .failure)
        }
    }

    func check(_ answer: HTTPAnswer) throws {
        guard !(200..<300).contains(answer.status) else { return }
        throw APIProblem.failure(status: answer.status, body: answer.body, base: base, hasToken: token != nil)
    }
}
