// An HTTP server of a few lines: it takes one connection, keeps what it was asked, and answers what the test wants.

import Endpoints
import Foundation
import Posix
import Synchronization

final class OneAnswerServer: Sendable {
    private struct State {
        var asked: [UInt8] = []
        var isOver = false
    }

    let port: UInt16
    private let state = Mutex(State())

    /// Answers with `parts`, one write each, and closes the connection.
    init(_ parts: [String]) throws {
        let listener = try Posix.listenTCP("127.0.0.1", port: 0)
        try Posix.setNonBlocking(listener.raw, false)
        port = try Posix.boundPort(listener.raw)
        let raw = try Posix.duplicate(listener.raw)
        let number = raw.raw
        let keep = Keep(raw)
        Thread.detachNewThread { [self] in
            defer { state.withLock { $0.isOver = true } }
            try? serve(number, parts)
            withExtendedLifetime(keep) {}
        }
    }

    private final class Keep: Sendable {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    /// The whole request, once it has come.
    var asked: String { String(decoding: state.withLock { $0.asked }, as: UTF8.self) }

    var url: String { "http://127.0.0.1:\(port)" }

    private func serve(_ listener: Int32, _ parts: [String]) throws {
        guard let connection = try Posix.accept(listener) else { return }
        try Posix.setNonBlocking(connection.raw, false)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isWhole, case .bytes(let count) = try Posix.read(connection.raw, into: &buffer) {
            state.withLock { $0.asked += buffer[..<count] }
        }
        for part in parts { try Posix.writeAll(connection.raw, Array(part.utf8)) }
        try Posix.shutdownWriting(connection.raw)
    }

    private var isWhole: Bool {
        let parts = asked.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        let length = parts[0].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
        return parts[1].utf8.count >= length.flatMap { Int($0.dropFirst(16)) } ?? 0
    }
}
