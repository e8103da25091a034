// An HTTP client that says exactly the bytes it is told to: bad clients are what these tests are about.

import Dispatch
import Endpoints
import Foundation
import Glibc
import Posix
import Synchronization

/// One answer, as it came.
struct Answer: Sendable {
    let status: Int
    /// Names in lower case.
    let headers: [String: [String]]
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? { headers[name]?.first }

    var json: [String: Any] {
        get throws {
            try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] ?? [:]
        }
    }

    /// The code of an error answer.
    var code: String? { (try? json["error"] as? [String: Any])?["code"] as? String }
    var place: String? { (try? json["error"] as? [String: Any])?["place"] as? String }
    var message: String? { (try? json["error"] as? [String: Any])?["message"] as? String }
}

/// One TCP connection.
final class RawClient: Sendable {
    enum Trouble: Error, Equatable {
        /// The server has closed in the middle of an answer, or before one.
        case closed
        case notHTTP(String)
        /// Nothing has come for a minute.
        case silent
    }

    private struct Incoming: Sendable {
        var buffer: [UInt8] = []
    }

    private let socket: Mutex<FileDescriptor?>
    private let raw: Int32
    private let incoming = Mutex(Incoming())
    private let reading = DispatchQueue(label: "client, reading")
    private let writing = DispatchQueue(label: "client, writing")

    init(port: UInt16) throws {
        let descriptor = try Posix.connectTCP("127.0.0.1", port: port)
        raw = descriptor.raw
        socket = Mutex(descriptor)
        // A test that waits in vain fails instead of hanging.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func close() {
        socket.withLock { $0 = nil }
    }

    /// No more requests; answers are still read.
    func closeWriting() throws {
        try Posix.shutdownWriting(raw)
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        try await blocking(on: writing) { [raw] in try Posix.writeAll(raw, bytes) }
    }

    /// Sends a request with the usual headers.
    func request(
        _ method: String, _ path: String, token: String? = "good", headers: [String] = [], body: [UInt8]? = nil
    ) async throws {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: test"]
        if let token { lines.append("Authorization: Bearer \(token)") }
        if let body { lines.append("Content-Length: \(body.count)") }
        lines += headers
        try await send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? []))
    }

    /// The next answer. `bodiless`: to HEAD.
    func answer(bodiless: Bool = false) async throws -> Answer {
        try await blocking(on: reading) { [self] in try readAnswer(bodiless) }
    }

    /// The status line and headers of the next answer, with what the decoded body brings until `enough`.
    func head() async throws -> Answer {
        try await blocking(on: reading) { [self] in
            let (status, headers) = try readHead()
            return Answer(status: status, headers: headers, body: [])
        }
    }

    /// The next chunk of a chunked body; empty at its end.
    func chunk() async throws -> String {
        try await blocking(on: reading) { [self] in String(decoding: try readChunk(), as: UTF8.self) }
    }

    /// Everything until the server closes.
    func rest() async throws -> [UInt8] {
        try await blocking(on: reading) { [self] in
            while try more() {}
            return incoming.withLock { $0.buffer }
        }
    }

    /// Whether the kernel has bytes (or the end) for us now.
    func hasSomething() throws -> Bool {
        try Posix.setNonBlocking(raw)
        defer { try? Posix.setNonBlocking(raw, false) }
        do {
            _ = try more()
            return true
        } catch Trouble.silent {
            return false
        }
    }
}

// MARK: reading, on the client's queue

extension RawClient {
    /// False at the end.
    private func more() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        switch try Posix.read(raw, into: &buffer) {
        case .bytes(let count):
            incoming.withLock { $0.buffer += buffer[..<count] }
            return true
        case .endOfFile: return false
        case .wouldBlock: throw Trouble.silent
        }
    }

    private func line() throws -> String {
        while true {
            let found: String? = incoming.withLock { incoming in
                guard let end = incoming.buffer.firstIndex(of: 10) else { return nil }
                let line = incoming.buffer[..<end]
                let text = String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
                incoming.buffer.removeFirst(end + 1)
                return text
            }
            if let found { return found }
            guard try more() else { throw Trouble.closed }
        }
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
        while incoming.withLock({ $0.buffer.count < count }) {
            guard try more() else { throw Trouble.closed }
        }
        return incoming.withLock { incoming in
            defer { incoming.buffer.removeFirst(count) }
            return Array(incoming.buffer[..<count])
        }
    }

    private func readHead() throws -> (Int, [String: [String]]) {
        let first = try line()
        let parts = first.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else { throw Trouble.notHTTP(first) }
        var headers: [String: [String]] = [:]
        while true {
            let field = try line()
            if field.isEmpty { return (status, headers) }
            let pair = field.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { throw Trouble.notHTTP(field) }
            headers[pair[0].lowercased(), default: []].append(pair[1].trimmingCharacters(in: .whitespaces))
        }
    }

    private func readAnswer(_ bodiless: Bool) throws -> Answer {
        let (status, headers) = try readHead()
        var body: [UInt8] = []
        if bodiless || status < 200 {
            // Nothing follows, whatever the headers say.
        } else if let length = headers["content-length"]?.first.flatMap({ Int($0) }) {
            body = try bytes(length)
        } else if headers["transfer-encoding"] == ["chunked"] {
            while true {
                let piece = try readChunk()
                if piece.isEmpty { break }
                body += piece
            }
        }
        return Answer(status: status, headers: headers, body: body)
    }

    private func readChunk() throws -> [UInt8] {
        let size = try line()
        guard let count = Int(size, radix: 16) else { throw Trouble.notHTTP(size) }
        let piece = try bytes(count)
        _ = try line()
        return piece
    }
}
