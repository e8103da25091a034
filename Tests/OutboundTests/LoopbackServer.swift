// A server of a few lines on loopback: it keeps what it was asked, and answers each connection with what the test
// wants, which need not be HTTP.

import Endpoints
import Exchange
import Foundation
import Posix
import Synchronization

final class LoopbackServer: Sendable {
    /// What happens on a connection after a whole request.
    enum Act: Sendable {
        case bytes([UInt8])
        /// The same piece again and again, until the client goes.
        case forever([UInt8])
        /// Nothing, until the client goes.
        case silence
        /// The connection stays open for another request.
        case keep
    }

    private struct State {
        var requests: [String] = []
        var connections = 0
    }

    let port: UInt16
    private let state = Mutex(State())
    private let listener: FileDescriptor
    private let answer: @Sendable (String) -> [Act]

    /// `answer` is given a request's head and body.
    init(_ answer: @escaping @Sendable (String) -> [Act]) throws {
        let listener = try Posix.listenTCP("127.0.0.1", port: 0)
        try Posix.setNonBlocking(listener.raw, false)
        port = try Posix.boundPort(listener.raw)
        self.listener = listener
        self.answer = answer
        Thread.detachNewThread { [self] in
            while let connection = try? Posix.accept(self.listener.raw) {
                state.withLock { $0.connections += 1 }
                let raw = connection.release()
                Thread.detachNewThread { [self] in
                    let connection = FileDescriptor(owning: raw)
                    // A client that goes away is what several tests are about.
                    try? serve(connection.raw)
                }
            }
        }
    }

    convenience init(_ text: String) throws { try self.init { _ in [.bytes(Array(text.utf8))] } }

    var origin: Origin { Asking.origin("http://127.0.0.1:\(port)") }
    var requests: [String] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }

    private func serve(_ raw: Int32) throws {
        try Posix.setNonBlocking(raw, false)
        var isKept = true
        while isKept, let request = try request(raw) {
            state.withLock { $0.requests.append(request) }
            isKept = false
            for act in answer(request) {
                switch act {
                case .bytes(let bytes): try Posix.writeAll(raw, bytes)
                case .forever(let bytes): while true { try Posix.writeAll(raw, bytes) }
                case .silence: _ = try self.request(raw)
                case .keep: isKept = true
                }
            }
        }
    }

    /// Nil when the client has gone.
    private func request(_ raw: Int32) throws -> String? {
        var (bytes, buffer): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 65_536))
        while true {
            guard case .bytes(let count) = try Posix.read(raw, into: &buffer) else { return nil }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let length = parts[0].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
            if parts[1].utf8.count >= length.flatMap({ Int($0.dropFirst(16)) }) ?? 0 { return text }
        }
    }
}

/// A well-formed answer.
func http(_ status: Int, _ body: String = "", headers: [String] = []) -> String {
    (["HTTP/1.1 \(status) X", "Content-Length: \(body.utf8.count)"] + headers).joined(separator: "\r\n")
        + "\r\n\r\n" + body
}
