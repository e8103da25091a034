// Gunzip: zlib's inflate, a piece at a time. One gzip member and nothing behind it; checksum and length are zlib's to
// compare. Memory is zlib's window and one buffer, whatever the archive says.

import CZlib

@safe
struct Gunzip: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private(set) var isAtEnd = false
    /// Compressed bytes so far.
    private(set) var taken: UInt64 = 0
    /// Bytes that they became.
    private(set) var given: UInt64 = 0

    /// Nil if there is no memory.
    init?() {
        // zlib keeps a pointer to it, so it must not move.
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        if unsafe bh_gunzip_start(stream) != Z_OK {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Unpacks a piece. `body` gets what it becomes, in parts of at most 64 KiB, with the counts up to there.
    mutating func consume(
        _ piece: ArraySlice<UInt8>,
        _ body: (ArraySlice<UInt8>, _ taken: UInt64, _ given: UInt64) throws(ArchiveProblem) -> Void
    ) throws(ArchiveProblem) {
        var rest = piece
        while !rest.isEmpty {
            if isAtEnd { throw .dataAfterEnd }
            let (code, used, made) = step(rest)
            rest = rest.dropFirst(used)
            taken += UInt64(used)
            given += UInt64(made)
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .notGzip }
            if made > 0 { try body(buffer[..<made], taken, given) }
            isAtEnd = code == Z_STREAM_END
            // It has to go on in some direction.
            if used == 0 && made == 0 { throw .notGzip }
        }
        try drain(body)
    }

    /// A full buffer may have left more inside.
    private mutating func drain(
        _ body: (ArraySlice<UInt8>, _ taken: UInt64, _ given: UInt64) throws(ArchiveProblem) -> Void
    ) throws(ArchiveProblem) {
        while !isAtEnd {
            let (code, _, made) = step([])
            guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .notGzip }
            given += UInt64(made)
            if made > 0 { try body(buffer[..<made], taken, given) }
            isAtEnd = code == Z_STREAM_END
            if made == 0 { return }
        }
    }

    private mutating func step(_ input: ArraySlice<UInt8>) -> (code: Int32, used: Int, made: Int) {
        unsafe input.withUnsafeBufferPointer { bytes in
            unsafe buffer.withUnsafeMutableBufferPointer { room in
                // zlib reads only, though its type does not say so.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(room.count)
                let offered = unsafe Int(stream.pointee.avail_in)
                let code = unsafe inflate(stream, Z_NO_FLUSH)
                let (left, free) = unsafe (Int(stream.pointee.avail_in), Int(stream.pointee.avail_out))
                unsafe (stream.pointee.next_in, stream.pointee.next_out) = (nil, nil)
                return (code, offered - left, room.count - free)
            }
        }
    }
}
