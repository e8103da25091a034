// FileSink: a large answer into a file, as it is.

import Exchange
package import Posix

/// Pours into a file, which stays its owner's.
package final class FileSink: BodySink {
    package private(set) var bytes: UInt64 = 0
    /// Why it wanted no more.
    package private(set) var error: PosixError?
    private let raw: Int32

    /// - Parameter raw: a file or a blocking descriptor, open as long as this sink is in use.
    package init(_ raw: Int32) { self.raw = raw }

    package func take(_ piece: ArraySlice<UInt8>) -> Bool {
        do throws(PosixError) {
            try Posix.writeAll(raw, piece)
            bytes += UInt64(piece.count)
            return true
        } catch {
            self.error = error
            return false
        }
    }
}
