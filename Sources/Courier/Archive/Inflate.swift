// Inflate: zlib's inflate, a piece at a time. One stream and nothing behind it; a gzip member's checksum and length are
// zlib's to compare. Memory is zlib's window and one buffer, whatever the archive says.

import CZlib

@safe
struct Inflate: ~Copyable {
    enum Form { case gzip, raw }

    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private(set) var isAtEnd = false
    /// Compressed bytes so far.
    private(set) var taken: UInt64 = 0
    /// Bytes that they became.
    private(set) var given: UInt64 = 0

    /// Nil if there is no memory.
    init?(_ form: Form) {
        // zlib keeps a pointer to it, so it must not move.
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let code =
            switch form {
            case .gzip: unsafe bh_gunzip_start(stream)
            case .raw: unsafe bh_inflate_start(stream)
            }
        if code != Z_OK {
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
            let (used, made) = try pull(rest)
            rest = rest.dropFirst(used)
            if !made.isEmpty { try body(made, taken, given) }
            // It has to go on in some direction.
            if used == 0 && made.isEmpty { throw .notGzip }
        }
        // A full buffer may have left more inside.
        while !isAtEnd {
            let (_, made) = try pull([])
            if made.isEmpty { return }
            try body(made, taken, given)
        }
    }

    /// One step: how much of the input it used, and at most 64 KiB that came of it. Both are nothing if there is no
    /// more to come without more input.
    mutating func pull(
        _ input: ArraySlice<UInt8>
    ) throws(ArchiveProblem) -> (used: Int, made: ArraySlice<UInt8>) {
        let (code, used, made) = step(input)
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .notGzip }
        taken += UInt64(used)
        given += UInt64(made)
        isAtEnd = code == Z_STREAM_END
        return (used, buffer[..<made])
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
