// An archive that courierd has made becomes a source of the store. The file is regular, so that nothing is waited for;
// some pieces are copied in each turn of the loop, and other peers get theirs.

import Files
import Link
import LogStore
import Posix
import Wire

final class ArchiveCopy {
    private static let slice = 256 << 10
    private static let slicesPerTurn = 4

    private let loop: PollLoop
    private let file: FileDescriptor
    private let source: IncomingSource
    private let completion: (Result<Source, Failure>) -> Void

    /// `completion` is called once, in a later turn; until then the copy keeps itself.
    init(
        loop: PollLoop, file: consuming FileDescriptor, into source: IncomingSource,
        _ completion: @escaping (Result<Source, Failure>) -> Void
    ) {
        self.loop = loop
        self.file = file
        self.source = source
        self.completion = completion
    }

    func start() {
        loop.soon { self.copySome() }
    }

    private func copySome() {
        do {
            for _ in 0..<Self.slicesPerTurn where !source.isComplete {
                let room = min(UInt64(Self.slice), source.size - source.received)
                let bytes = try Posix.pread(file.raw, maximum: Int(room), at: Int64(source.received))
                guard !bytes.isEmpty else { return completion(.failure(.incompleteUpload(source))) }
                try source.write(bytes[...])
            }
            if !source.isComplete { return start() }
            completion(.success(try source.finish()))
        } catch {
            completion(.failure(Failure(storing: error)))
        }
    }
}
