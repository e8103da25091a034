// What stands between the records of a runner whose job has secrets and the log file, and every other way out for what
// that runner says. One for each attempt; it outlives a connection of the runner, as the attempt does.

import LogStore
import Masker
import Posix
import Secret
import Wire

/// Nothing passes before the first masks are here.
final class LogMasking {
    enum Violation: Error, Equatable {
        case noMasks
        /// A record that was in the log in part came again, and was another one.
        case repeatedOtherwise
    }

    private struct Waiting {
        let number: UInt64
        let length: Int
    }

    private let masker = Masker()
    /// The first masks have come.
    private(set) var isReady = false
    /// Records that have been taken and are not all out, and how much of the first of them is.
    private var waiting: [Waiting] = []
    private var ahead: Int

    /// What it has replaced in the log.
    var replaced: Masker.Count { masker.replaced }

    /// Goes on where the log stands.
    init(_ log: AttemptLog) {
        let point = log.reached
        ahead = Int(point.ahead)
        masker.resume(at: Masker.Point(covered: Int(point.covered), isOpen: point.isOpen))
    }

    /// Masks more from now on; a mask that was there once stays.
    func add(_ file: consuming FileDescriptor) throws {
        let set = try MaskFile.read(file)
        try masker.add { patterns in try MaskFile.add(set, to: patterns) }
        isReady = true
    }

    /// Part of a record is in the log, and the record has not come again yet.
    var isMidRecord: Bool { waiting.isEmpty && ahead > 0 }

    /// Takes output for the log.
    func stage(_ bytes: [UInt8], number: UInt64, in log: AttemptLog) throws(Violation) {
        guard isReady else { throw .noMasks }
        // What an earlier relayd had in the log already.
        let skipped = waiting.isEmpty ? ahead : 0
        guard skipped < bytes.count else { throw .repeatedOtherwise }
        waiting.append(Waiting(number: number, length: bytes.count))
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        bytes.withUnsafeBytes { bytes in
            masker.mask(UnsafeRawBufferPointer(rebasing: bytes[skipped...]), into: &output)
        }
        log.stage(output: output, number: number, reaching: point(in: log))
    }

    /// What is held back goes to the log: nothing that could complete it will follow.
    func flush(in log: AttemptLog) {
        let output = masker.flush()
        guard !waiting.isEmpty else { return }
        waiting.removeAll()
        ahead = 0
        log.stage(output: output, number: log.taken, reaching: LogPoint(number: log.taken))
    }

    /// Where the log stands with what is out by now.
    private func point(in log: AttemptLog) -> LogPoint {
        let point = masker.point
        var number = log.reached.number
        ahead = waiting.reduce(0) { $0 + $1.length } - point.held
        while let first = waiting.first, first.length <= ahead {
            number = first.number
            ahead -= first.length
            waiting.removeFirst()
        }
        return LogPoint(
            number: number, ahead: UInt32(ahead), covered: UInt32(point.covered), isOpen: point.isOpen)
    }

    /// A text of the runner's, masked. A tail that may be the beginning of a secret is hidden, too, if the text reaches
    /// `limit` bytes: somebody has cut it there.
    func words(_ text: String, limit: Int) -> String {
        guard isReady else { return Self.withheld }
        let bytes = Array(text.utf8)
        return String(decoding: masker.masked(bytes, isCut: bytes.count + 4 > limit), as: UTF8.self)
    }

    /// In place of what cannot be masked.
    static let withheld = "(its words are not shown: its job may have secrets)"
}

extension RelayEdge.RunJob {
    /// Its log may not be written before there are masks.
    var hasSecrets: Bool { definition.spec.steps.contains { !$0.secrets.isEmpty } }
}
