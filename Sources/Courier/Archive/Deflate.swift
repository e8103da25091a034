// Deflate: zlib's deflate, a piece at a time, and the checksum of zip and gzip.

import CZlib

@safe
final class Deflate {
    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Nil if there is no memory.
    init?() {
        // zlib keeps a pointer to it, so it must not move.
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        if unsafe bh_deflate_start(stream) != Z_OK {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Packs a piece; what is ready of it goes behind `packed`.
    func consume(_ piece: ArraySlice<UInt8>, into packed: inout [UInt8]) {
        var rest = piece
        while !rest.isEmpty {
            let (_, used, made) = step(rest, Z_NO_FLUSH)
            packed += buffer[..<made]
            rest = rest.dropFirst(used)
        }
    }

    /// The end of a stream; the next piece begins another one.
    func finish(into packed: inout [UInt8]) {
        var code = Z_OK
        // Z_BUF_ERROR would say that nothing is left, which is said by Z_STREAM_END.
        while code == Z_OK {
            let made: Int
            (code, _, made) = step([], Z_FINISH)
            packed += buffer[..<made]
        }
        unsafe deflateReset(stream)
    }

    private func step(_ input: ArraySlice<UInt8>, _ flush: Int32) -> (code: Int32, used: Int, made: Int) {
        unsafe input.withUnsafeBufferPointer { bytes in
            unsafe buffer.withUnsafeMutableBufferPointer { room in
                // zlib reads only, though its type does not say so.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(room.count)
                let offered = unsafe Int(stream.pointee.avail_in)
                let code = unsafe deflate(stream, flush)
                let (left, free) = unsafe (Int(stream.pointee.avail_in), Int(stream.pointee.avail_out))
                unsafe (stream.pointee.next_in, stream.pointee.next_out) = (nil, nil)
                return (code, offered - left, room.count - free)
            }
        }
    }
}

/// CRC-32.
struct Checksum {
    private(set) var value: UInt32 = 0

    mutating func add(_ bytes: ArraySlice<UInt8>) {
        // Without bytes zlib takes it for the question where to begin.
        if bytes.isEmpty { return }
        let before = UInt(value)
        value = unsafe bytes.withUnsafeBufferPointer { part in
            unsafe UInt32(truncatingIfNeeded: crc32_z(before, part.baseAddress, part.count))
        }
    }
}
