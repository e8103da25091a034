// Transfer: one HTTP exchange by the system's libcurl. It blocks a thread of its own while it waits, and costs no CPU
// meanwhile. APIClient and LogStream use it; no proxy of the environment has a say, since it would be sent the token.

import CCurl
package import Foundation

/// What is asked of the server.
package struct HTTPRequest: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A file that is sent as it is read, and its size.
        case file(String, size: UInt64)
    }

    package let method: String
    package let url: String
    package var headers: [String: String] = [:]
    package var body = Body.none
    /// Seconds for the whole exchange; 0: as long as it takes.
    package var timeout: Int
    /// A Unix socket to go to, whatever host the URL names.
    package var socket: String?

    package init(method: String, url: String, timeout: Int = 60) {
        self.method = method
        self.url = url
        self.timeout = timeout
    }
}

package struct HTTPAnswer: Sendable {
    package let status: Int
    /// Empty where a sink took it.
    package let body: Data
    /// Bytes that the sink took.
    package let streamed: UInt64
}

/// No answer, or only a part of one.
package struct HTTPFailure: Error, CustomStringConvertible {
    package let description: String
    /// Bytes that a sink had taken before.
    package let streamed: UInt64
    /// The server may have had the request, and have done what it asked for.
    package let wasSent: Bool

    package init(description: String, streamed: UInt64, wasSent: Bool = false) {
        self.description = description
        self.streamed = streamed
        self.wasSent = wasSent
    }
}

package final class Transfer {
    /// Takes the body of a good answer (200, 206) as it comes.
    package typealias Sink = @Sendable (UnsafeRawBufferPointer) -> Void

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    /// The longest answer that is kept whole, in bytes.
    private static let limit = 64 << 20

    private let handle: OpaquePointer
    private let sink: Sink?
    private let source: FileHandle?
    private var collected = Data()
    private var streamed: UInt64 = 0
    private var isTooLong = false

    /// Waits without holding a thread of the tasks: there may be one only.
    package static func run(_ request: HTTPRequest, sink: Sink? = nil) async throws -> HTTPAnswer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try perform(request, sink: sink) })
            }
        }
    }

    /// The same on this thread.
    package static func perform(_ request: HTTPRequest, sink: Sink? = nil) throws -> HTTPAnswer {
        try Transfer(request, sink: sink).perform(request)
    }

    private init(_ request: HTTPRequest, sink: Sink?) throws {
        guard Self.isReady, let handle = curl_easy_init() else {
            throw HTTPFailure(description: "libcurl cannot start", streamed: 0)
        }
        self.handle = OpaquePointer(handle)
        self.sink = sink
        if case .file(let path, _) = request.body {
            guard let file = FileHandle(forReadingAtPath: path) else {
                curl_easy_cleanup(handle)
                throw HTTPFailure(description: "cannot read \(path)", streamed: 0)
            }
            source = file
        } else {
            source = nil
        }
    }

    deinit { curl_easy_cleanup(curl) }

    private var curl: UnsafeMutableRawPointer { UnsafeMutableRawPointer(handle) }

    private func perform(_ request: HTTPRequest) throws -> HTTPAnswer {
        let headers = try list(of: request)
        defer { curl_slist_free_all(headers) }
        try check(bh_curl_headers(curl, headers))
        try setUp(request)
        let code = try withBody(request.body) { curl_easy_perform(curl) }
        if isTooLong { throw failure("the answer is longer than \(Self.limit) bytes", wasSent: true) }
        guard code == CURLE_OK else {
            throw failure(String(cString: curl_easy_strerror(code)), wasSent: !Self.beforeSending.contains(code))
        }
        return HTTPAnswer(status: bh_curl_status(curl), body: collected, streamed: streamed)
    }

    private func setUp(_ request: HTTPRequest) throws {
        try check(bh_curl_text(curl, CURLOPT_URL, request.url))
        try check(bh_curl_text(curl, CURLOPT_PROTOCOLS_STR, "http,https"))
        try check(bh_curl_text(curl, CURLOPT_PROXY, ""))
        if let socket = request.socket { try check(bh_curl_text(curl, CURLOPT_UNIX_SOCKET_PATH, socket)) }
        try check(bh_curl_number(curl, CURLOPT_NOSIGNAL, 1))
        try check(bh_curl_number(curl, CURLOPT_CONNECTTIMEOUT, 30))
        try check(bh_curl_number(curl, CURLOPT_TIMEOUT, request.timeout))
        // A log may be silent for hours: a connection that died meanwhile must be noticed.
        try check(bh_curl_number(curl, CURLOPT_TCP_KEEPALIVE, 1))
        switch request.body {
        case .none: break
        case .bytes(let bytes): try setUpBody(size: Int64(bytes.count))
        case .file(_, let size): try setUpBody(size: Int64(size))
        }
        try check(bh_curl_text(curl, CURLOPT_CUSTOMREQUEST, request.method))
        let context = Unmanaged.passUnretained(self).toOpaque()
        try check(
            bh_curl_callbacks(
                curl, context,
                { bytes, size, count, context in
                    guard let bytes, let context else { return 0 }
                    let part = UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().receive(part)
                },
                { start, size, count, context in
                    guard let start, let context else { return Int(CURL_READFUNC_ABORT) }
                    let room = UnsafeMutableRawBufferPointer(start: start, count: size * count)
                    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().fill(room)
                }))
    }

    private func setUpBody(size: Int64) throws {
        try check(bh_curl_number(curl, CURLOPT_POST, 1))
        try check(bh_curl_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, size))
    }

    /// Bytes must stay where they are until the exchange is over.
    private func withBody(_ body: HTTPRequest.Body, _ exchange: () -> CURLcode) throws -> CURLcode {
        guard case .bytes(let bytes) = body, !bytes.isEmpty else { return exchange() }
        return try bytes.withUnsafeBytes { raw in
            try check(bh_curl_text(curl, CURLOPT_POSTFIELDS, raw.assumingMemoryBound(to: CChar.self).baseAddress))
            return exchange()
        }
    }

    private func list(of request: HTTPRequest) throws -> UnsafeMutablePointer<curl_slist>? {
        // Nobody waits for a `100 Continue` before a large body.
        var lines = ["Expect:", "User-Agent: bulkhead"]
        for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) {
            guard !value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
                throw HTTPFailure(description: "the header \(name) has a line break in it", streamed: 0)
            }
            lines.append("\(name): \(value)")
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { list = curl_slist_append(list, line) ?? list }
        return list
    }

    // MARK: Bytes

    private func receive(_ part: UnsafeRawBufferPointer) -> Int {
        let status = bh_curl_status(curl)
        if let sink, status == 200 || status == 206 {
            sink(part)
            streamed += UInt64(part.count)
        } else if collected.count + part.count <= Self.limit {
            collected.append(contentsOf: part)
        } else {
            isTooLong = true
            return 0
        }
        return part.count
    }

    private func fill(_ room: UnsafeMutableRawBufferPointer) -> Int {
        do {
            guard let bytes = try source?.read(upToCount: room.count) else { return 0 }
            bytes.copyBytes(to: room)
            return bytes.count
        } catch {
            return Int(CURL_READFUNC_ABORT)
        }
    }

    private func check(_ code: CURLcode) throws {
        guard code == CURLE_OK else { throw failure(String(cString: curl_easy_strerror(code))) }
    }

    private func failure(_ text: String, wasSent: Bool = false) -> HTTPFailure {
        HTTPFailure(description: text, streamed: streamed, wasSent: wasSent)
    }

    /// With these there was no connection that anything could have gone over.
    private static let beforeSending = [
        CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
        CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
    ]
}
