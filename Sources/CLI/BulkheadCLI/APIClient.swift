// APIClient: the CLI's side of the HTTP API. One method per way of talking; the commands know the routes.

import Foundation
import FoundationNetworking

/// Where the API is and who asks: `BULKHEAD_URL` and `BULKHEAD_TOKEN`, or what `bulkhead up` left in its state directory.
struct APIClient: Sendable {
    static let defaultURL = "http://127.0.0.1:7700"

    let base: URL
    let token: String?

    /// `state` is where `bulkhead up` keeps its files; its token is used when BULKHEAD_TOKEN is not set.
    init(url: String?, state: String?) throws {
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
            let path = (state ?? StateDirectory.standard) + "/admin-token"
            token = (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(
                in: .whitespacesAndNewlines)
        }
    }

    /// A request with the token, a path and a query; no body.
    func request(_ method: String, _ path: String, query: [String: String] = [:]) throws -> URLRequest {
        guard var parts = URLComponents(url: base, resolvingAgainstBaseURL: false) else {
            throw CommandFailure("'\(base)' is not a usable URL; mend BULKHEAD_URL or --url", exit: .usage)
        }
        parts.path = (parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path) + path
        if !query.isEmpty {
            parts.queryItems = query.sorted { $0.key < $1.key }.map { URLQueryItem(name: $0.key, value: $0.value) }
        }
        guard let url = parts.url else { throw CommandFailure("cannot make a URL for \(path)", exit: .usage) }
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = method
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        return request
    }

    /// The body of a successful answer. Throws a `CommandFailure` that says what the server said and what to do. While the
    /// daemons are starting or one of them restarts (503), what may be asked twice is asked again for some seconds.
    func send(_ request: URLRequest, body: Data? = nil) async throws -> Data {
        var request = request
        if let body {
            request.httpBody = body
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let isRepeatable = request.httpMethod == "GET" || request.value(forHTTPHeaderField: "Idempotency-Key") != nil
        let end = ContinuousClock.now + .seconds(10)
        do {
            while true {
                let (data, response) = try await URLSession.shared.data(for: request)
                let isAway = (response as? HTTPURLResponse)?.statusCode == 503
                guard isAway, isRepeatable, ContinuousClock.now < end else {
                    try check(response, data)
                    return data
                }
                try await Task.sleep(for: .milliseconds(250))
            }
        } catch let error as URLError {
            throw unreachable(error)
        }
    }

    /// Sends a file as the body; `request` names where.
    func upload(_ request: URLRequest, file: URL) async throws -> Data {
        var request = request
        request.timeoutInterval = 3600
        request.setValue("application/x-tar", forHTTPHeaderField: "Content-Type")
        do {
            let (data, response) = try await URLSession.shared.upload(for: request, fromFile: file)
            try check(response, data)
            return data
        } catch let error as URLError {
            throw unreachable(error)
        }
    }

    func decoded<Value: Decodable>(_ type: Value.Type, _ data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: data)
        } catch {
            throw CommandFailure(
                "the server at \(base) answered something this version does not read: \(error)", exit: .failure)
        }
    }

    func check(_ response: URLResponse, _ data: Data) throws {
        guard let http = response as? HTTPURLResponse else {
            throw CommandFailure("\(base) does not speak HTTP", exit: .unavailable)
        }
        guard !(200..<300).contains(http.statusCode) else { return }
        throw APIProblem.failure(status: http.statusCode, body: data, base: base, hasToken: token != nil)
    }

    func unreachable(_ error: URLError) -> CommandFailure {
        CommandFailure(
            "cannot reach \(base): \(error.localizedDescription); start it with `bulkhead up`, or set BULKHEAD_URL",
            exit: .unavailable)
    }
}

/// The error body of the API: `{"error": {"code", "message", "place", "problems"}}`.
struct APIProblem: Decodable {
    struct Body: Decodable {
        struct Detail: Decodable {
            let place: String?
            let message: String
        }

        let code: String
        let message: String
        let place: String?
        let problems: [Detail]?
    }

    let error: Body

    static func failure(status: Int, body: Data, base: URL, hasToken: Bool) -> CommandFailure {
        guard let problem = try? JSONDecoder().decode(APIProblem.self, from: body).error else {
            return CommandFailure("\(base) answered with status \(status) and no explanation", exit: .failure)
        }
        if status == 401 {
            let mend =
                hasToken
                ? "the token is not the one this server knows; set BULKHEAD_TOKEN to the text in its admin-token file"
                : "set BULKHEAD_TOKEN, or give --state the directory that `bulkhead up` uses"
            return CommandFailure("not authorized: \(mend)", exit: .unauthorized)
        }
        var lines = (problem.problems ?? []).map { [$0.place, $0.message].compactMap(\.self).joined(separator: ": ") }
        if lines.isEmpty {
            lines = [
                [problem.place, problem.message].compactMap { $0?.isEmpty == true ? nil : $0 }.joined(separator: ": ")
            ]
        }
        let exit: Exit = status == 503 || status == 504 ? .unavailable : (status < 500 ? .usage : .failure)
        return CommandFailure(Terminal.printable(lines.joined(separator: " | ")) + " (\(problem.code))", exit: exit)
    }
}
