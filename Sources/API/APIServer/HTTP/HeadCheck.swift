// HeadCheck: which request heads mean one thing only, whoever reads them. What a proxy in front of us might read
// otherwise (request smuggling) is refused here, whatever the parser let pass.

import NIOHTTP1

enum HeadCheck {
    /// Nil for a good head, else the answer, after which the connection ends.
    static func refusal(of head: HTTPRequestHead, limits: HTTPLimits) -> HTTPResponseStatus? {
        let headers = head.headers
        // HTTP/1.0 knows neither chunks nor Host; nobody who calls this API speaks it.
        guard head.version == .http1_1 else { return .httpVersionNotSupported }
        guard headers["Host"].count == 1, head.uri.hasPrefix("/") else { return .badRequest }
        let (lengths, encodings) = (headers["Content-Length"], headers["Transfer-Encoding"])
        guard lengths.count <= 1, encodings.count <= 1, lengths.isEmpty || encodings.isEmpty else { return .badRequest }
        if let encoding = encodings.first, encoding.lowercased() != "chunked" { return .notImplemented }
        if let text = lengths.first {
            guard let length = UInt64(text), text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return .badRequest }
            if !isUpload(head) && length > UInt64(bodyLimit(head, limits)) { return .payloadTooLarge }
        }
        if headers.contains(name: "Content-Encoding") { return .unsupportedMediaType }
        if headers.contains(name: "Expect"), !expectsContinue(head) { return .expectationFailed }
        return nil
    }

    /// The one request whose body may be longer than a job: schedulerd and relayd hold it to their own limit.
    static func isUpload(_ head: HTTPRequestHead) -> Bool {
        head.uri == SourceRoutes.path || head.uri.hasPrefix(SourceRoutes.path + "?")
    }

    /// Of everything that is no upload.
    static func bodyLimit(_ head: HTTPRequestHead, _ limits: HTTPLimits) -> Int {
        head.uri.hasPrefix(WebhookRoutes.path) ? limits.webhookBytes : limits.bodyBytes
    }

    static func expectsContinue(_ head: HTTPRequestHead) -> Bool {
        head.headers["Expect"].map { $0.lowercased() } == ["100-continue"]
    }
}
