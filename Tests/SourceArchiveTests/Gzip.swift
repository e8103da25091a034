// Packs with zlib, so that bombs and broken streams can be made.

import CZlib

enum Gzip {
    static func pack(_ bytes: [UInt8]) -> [UInt8] {
        var packed = [UInt8](repeating: 0, count: 64 + Int(compressBound(UInt(bytes.count))))
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        defer { stream.deallocate() }
        stream.initialize(to: z_stream())
        precondition(
            deflateInit2_(
                stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        let made = bytes.withUnsafeBufferPointer { input in
            packed.withUnsafeMutableBufferPointer { room in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.pointee.avail_in = UInt32(input.count)
                stream.pointee.next_out = room.baseAddress
                stream.pointee.avail_out = UInt32(room.count)
                precondition(deflate(stream, Z_FINISH) == Z_STREAM_END)
                return room.count - Int(stream.pointee.avail_out)
            }
        }
        deflateEnd(stream)
        return Array(packed[..<made])
    }
}

extension Gzip {
    /// All members of a file, each by itself; nil if one is broken.
    static func members(_ bytes: [UInt8]) -> [[UInt8]]? {
        var (rest, members): (ArraySlice<UInt8>, [[UInt8]]) = (bytes[...], [])
        while !rest.isEmpty {
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            defer { stream.deallocate() }
            stream.initialize(to: z_stream())
            precondition(bh_gunzip_start(stream) == Z_OK)
            defer { inflateEnd(stream) }
            var room = [UInt8](repeating: 0, count: 1 << 20)
            let (code, used, made) = rest.withUnsafeBufferPointer { input in
                room.withUnsafeMutableBufferPointer { room in
                    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                    stream.pointee.avail_in = UInt32(input.count)
                    stream.pointee.next_out = room.baseAddress
                    stream.pointee.avail_out = UInt32(room.count)
                    let code = inflate(stream, Z_FINISH)
                    return (
                        code, input.count - Int(stream.pointee.avail_in), room.count - Int(stream.pointee.avail_out)
                    )
                }
            }
            if code != Z_STREAM_END { return nil }
            members.append(Array(room[..<made]))
            rest = rest.dropFirst(used)
        }
        return members
    }
}
