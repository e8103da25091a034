// An engine that says what a test wants it to say: an HTTP server on a Unix socket, on the test's own loop.

import Endpoints
import Foundation
import Posix

final class FakeEngine {
    struct Request {
        let method: String
        let target: String
        let head: String
        let body: [UInt8]
        var path: String { String(target.prefix(while: { $0 != "?" })) }
    }

    /// What to do with a request.
    enum Script {
        /// Send these bytes and close.
        case send([UInt8])
        /// The same, one byte a pass.
        case drip([UInt8])
        /// Send these bytes and keep the connection open.
        case keep([UInt8])
        /// Never answer.
        case hang
    }

    let path: String
    private let loop: PollLoop
    private let listener: FileDescriptor
    private let directory: TemporaryDirectory
    private var open: [Int32: Held] = [:]
    private var received: [Int32: [UInt8]] = [:]
    private(set) var requests: [Request] = []
    var script: (Request) -> Script

    init(_ loop: PollLoop, _ script: @escaping (Request) -> Script = { _ in .hang }) throws {
        self.loop = loop
        self.script = script
        directory = try TemporaryDirectory()
        path = directory.path + "/engine"
        listener = try Posix.listenUnix(path, mode: 0o600)
        try loop.watch(listener.raw, .readable) { [unowned self] _ in self.accept() }
    }

    var openConnections: Int { open.count }

    static func response(_ status: String, _ body: String = "", type: String = "application/json") -> [UInt8] {
        Array("HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    static func chunked(_ status: String, _ body: String) -> [UInt8] {
        let bytes = Array(body.utf8)
        var out = Array("HTTP/1.1 \(status)\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: bytes.count, by: 7) {
            let part = bytes[start..<min(start + 7, bytes.count)]
            out += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8)
        }
        return out + Array("0\r\n\r\n".utf8)
    }

    private func accept() {
        while let socket = try? Posix.accept(listener.raw) {
            let raw = socket.raw
            try? Posix.setNonBlocking(raw)
            open[raw] = Held(socket)
            received[raw] = []
            try? loop.watch(raw, .readable) { [unowned self] _ in self.read(raw) }
        }
    }

    private func read(_ raw: Int32) {
        var room = [UInt8](repeating: 0, count: 65536)
        guard case .bytes(let count)? = try? Posix.read(raw, into: &room) else { return close(raw) }
        received[raw, default: []] += room[..<count]
        guard let request = complete(received[raw] ?? []) else { return }
        received[raw] = []
        requests.append(request)
        switch script(request) {
        case .send(let bytes): send(raw, bytes[...], thenClose: true)
        case .drip(let bytes): drip(raw, bytes[...])
        case .keep(let bytes): send(raw, bytes[...], thenClose: false)
        case .hang: break
        }
    }

    private func complete(_ bytes: [UInt8]) -> Request? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let head = String(text[..<end.lowerBound])
        let lines = head.components(separatedBy: "\r\n")
        let length =
            lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        let body = bytes.dropFirst(head.utf8.count + 4)
        guard body.count >= length, let words = lines.first?.components(separatedBy: " "), words.count == 3 else {
            return nil
        }
        return Request(method: words[0], target: words[1], head: head, body: Array(body))
    }

    private func send(_ raw: Int32, _ bytes: ArraySlice<UInt8>, thenClose: Bool) {
        guard open[raw] != nil else { return }
        if !bytes.isEmpty {
            guard case .bytes(let count)? = try? Posix.write(raw, bytes) else {
                loop.after(.milliseconds(1)) { [weak self] in self?.send(raw, bytes, thenClose: thenClose) }
                return
            }
            if count < bytes.count { return send(raw, bytes.dropFirst(count), thenClose: thenClose) }
        }
        if thenClose { close(raw) }
    }

    private func drip(_ raw: Int32, _ bytes: ArraySlice<UInt8>) {
        guard open[raw] != nil, let byte = bytes.first else { return close(raw) }
        _ = try? Posix.write(raw, [byte])
        loop.after(.zero) { [weak self] in self?.drip(raw, bytes.dropFirst()) }
    }

    private func close(_ raw: Int32) {
        loop.unwatch(raw)
        received[raw] = nil
        open.removeValue(forKey: raw)
    }

    deinit {
        loop.unwatch(listener.raw)
        for raw in open.keys { loop.unwatch(raw) }
    }
}

/// Dictionaries do not hold noncopyable values.
private final class Held {
    let socket: FileDescriptor
    init(_ socket: consuming FileDescriptor) { self.socket = socket }
}
