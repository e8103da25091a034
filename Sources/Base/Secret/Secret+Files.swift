// Between a secret and a file, without a buffer on the way.
import CLinux
import Glibc

extension Secret {
    /// All bytes of the file `raw` from its start. Its read position, which others may share, neither matters nor
    /// moves. Throws `full` if there are more than `limit`.
    package init(contentsOf raw: Int32, limit: Int) throws(SecretError) {
        try unsafe self.init(capacity: limit) { (room) throws(SecretError) in
            var count = 0
            while count < room.count {
                let (free, place) = (unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...]), count)
                let got = try Self.retry("pread") { unsafe pread(raw, free.baseAddress, free.count, place) }
                if got == 0 { return count }
                count += got
            }
            var next: UInt8 = 0
            let place = count
            let more = try Self.retry("pread") { unsafe pread(raw, &next, 1, place) }
            if more > 0 { throw .full(capacity: limit) }
            return count
        }
    }

    /// Writes everything at the start of the file `raw`.
    package borrowing func write(to raw: Int32) throws(SecretError) {
        try unsafe withBytes { (bytes) throws(SecretError) in
            var written = 0
            while written < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                let place = written
                written += try Self.retry("pwrite") { unsafe pwrite(raw, rest.baseAddress, rest.count, place) }
            }
        }
    }

    private static func retry(_ call: String, _ body: () -> Int) throws(SecretError) -> Int {
        while true {
            let result = body()
            if result >= 0 { return result }
            if errno != EINTR { throw .system(call: call, errno: errno) }
        }
    }
}
