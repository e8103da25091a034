// Sends a source archive to a runner, slice by slice.

import Files
import Link
import Posix
import Wire

/// Reads on as the runner takes: at most `ahead` slices are on the way, so a runner that does not read costs 256 KiB.
final class SourceFeed {
    private static let slice = 32 << 10
    private static let ahead = 8

    private let file: FileDescriptor
    private let size: UInt64
    private var sent: UInt64
    private var inFlight = 0
    private var isStopped = false
    private let send: (RunnerEdge.PutSource, @escaping (Result<RunnerEdge.PutSource.Reply, Failure>) -> Void) -> Void
    private let fail: (Failure) -> Void

    /// `offset`: what the runner has already. `fail` is called at most once.
    init(
        file: consuming FileDescriptor, size: UInt64, from offset: UInt64,
        send: @escaping (RunnerEdge.PutSource, @escaping (Result<RunnerEdge.PutSource.Reply, Failure>) -> Void) -> Void,
        fail: @escaping (Failure) -> Void
    ) {
        self.file = file
        self.size = size
        self.send = send
        self.fail = fail
        sent = offset
    }

    func stop() { isStopped = true }

    func pump() {
        while !isStopped, inFlight < Self.ahead, sent < size {
            let bytes: [UInt8]
            do {
                let count = Int(min(UInt64(Self.slice), size - sent))
                bytes = try Posix.pread(file.raw, maximum: count, at: Int64(sent))
            } catch {
                return end(Failure(.internal, "cannot read the source archive: \(error)"))
            }
            guard !bytes.isEmpty else { return end(Failure(.internal, "the source archive is cut short")) }
            let offset = sent
            sent += UInt64(bytes.count)
            inFlight += 1
            send(RunnerEdge.PutSource(offset: offset, bytes: bytes)) { [self, expected = sent] result in
                answered(result, expected: expected)
            }
        }
    }

    private func answered(_ result: Result<RunnerEdge.PutSource.Reply, Failure>, expected: UInt64) {
        guard !isStopped else { return }
        inFlight -= 1
        switch result {
        case .success(let reply) where reply.received == expected: pump()
        case .success(let reply):
            end(Failure(.runnerViolation, "source: \(reply.received) bytes received where \(expected) were sent"))
        case .failure(let failure): end(failure)
        }
    }

    private func end(_ failure: Failure) {
        stop()
        fail(failure)
    }
}
