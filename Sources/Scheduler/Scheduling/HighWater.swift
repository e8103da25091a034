// What has been given out, beside the database: one that is put back from a backup does not know the numbers that
// relayd has logs of by then, nor the epochs that spawnerd has seen.

import Files
import Posix
package import Store

/// A file of one line: the highest epoch, and a number that no job has reached. It is raised before anybody hears of
/// either, and in larger steps for jobs, so that not each of them waits for the disk once more: after a kill some
/// numbers are left out. Put it back with the database, and it protects from nothing.
package final class HighWater {
    private static let step: UInt64 = 64
    private static let width = 20

    private let file: FileDescriptor
    package private(set) var epoch: UInt64 = 0
    /// No job has this number or a higher one.
    package private(set) var nextJob: UInt64 = 0
    /// The same, of the jobs that were really given one.
    private var given: UInt64 = 0

    /// Reads what an earlier life has left; a file that it does not understand is refused.
    package init(path: String) throws(StoreError) {
        do {
            file = try Posix.open(path, [.readWrite, .create, .noFollow])
            let bytes = try Posix.pread(file.raw, maximum: 256, at: 0)
            if bytes.isEmpty { return }
            let words = bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            let numbers = words.compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
            guard words.count == 2, numbers.count == 2, bytes.last == UInt8(ascii: "\n") else {
                throw StoreError.failed("\(path) cannot be read; remove it unless the database is from a backup")
            }
            (epoch, nextJob) = (numbers[0], numbers[1])
            given = nextJob
        } catch {
            throw Self.stored(error)
        }
    }

    /// A life begins.
    package func begin(epoch: UInt64, nextJob: UInt64) throws(StoreError) {
        given = nextJob
        try write(epoch, nextJob)
    }

    /// A job is about to be given this number.
    package func cover(job: UInt64) throws(StoreError) {
        given = max(given, job + 1)
        if job >= nextJob { try write(epoch, job + Self.step) }
    }

    /// The life ends in peace: nothing is left out.
    package func end() throws(StoreError) {
        if given < nextJob { try write(epoch, given) }
    }

    /// In one piece and in its place: a full disk has room for it, and a process that is killed leaves either line.
    private func write(_ epoch: UInt64, _ nextJob: UInt64) throws(StoreError) {
        let line = Self.padded(epoch) + " " + Self.padded(nextJob) + "\n"
        do {
            try Posix.pwriteAll(file.raw, ArraySlice(line.utf8), at: 0)
            try Posix.fdatasync(file.raw)
        } catch {
            throw Self.stored(error)
        }
        (self.epoch, self.nextJob) = (epoch, nextJob)
    }

    private static func padded(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    private static func stored(_ error: any Error) -> StoreError {
        switch error {
        case let known as StoreError: known
        case let error as PosixError where error.isFull: .full
        default: .input("\(error)")
        }
    }
}
