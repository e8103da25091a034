// FileSource: a file as a request's body, with something of ours before and behind it: a form's lines.

import Exchange
import Files
package import Posix

package final class FileSource: BodySource {
    package let size: UInt64
    /// Why there was no more.
    package private(set) var error: PosixError?
    private let raw: Int32
    private let fileSize: UInt64
    private let head: [UInt8]
    private let tail: [UInt8]
    private var at: UInt64 = 0

    /// - Parameters:
    ///   - raw: a file, open as long as this source is in use, which does not become shorter; its offset is not used.
    ///   - fileSize: bytes of it, from its start.
    package init(_ raw: Int32, fileSize: UInt64, head: [UInt8] = [], tail: [UInt8] = []) {
        self.raw = raw
        self.fileSize = fileSize
        self.head = head
        self.tail = tail
        size = fileSize + UInt64(head.count + tail.count)
    }

    package func next(_ most: Int) -> [UInt8]? {
        let headEnd = UInt64(head.count)
        let fileEnd = headEnd + fileSize
        let piece: [UInt8]
        if at < headEnd {
            piece = Array(head[Int(at)...].prefix(most))
        } else if at < fileEnd {
            guard let read = read(at - headEnd, Int(min(UInt64(most), fileEnd - at))), !read.isEmpty else { return nil }
            piece = read
        } else {
            piece = Array(tail[Int(at - fileEnd)...].prefix(most))
        }
        at += UInt64(piece.count)
        return piece
    }

    private func read(_ offset: UInt64, _ count: Int) -> [UInt8]? {
        do throws(PosixError) {
            return try Posix.pread(raw, maximum: count, at: Int64(clamping: offset))
        } catch {
            self.error = error
            return nil
        }
    }
}
