// A peer that does not keep to our limits.
import Glibc

enum RawSender {
    /// Sends one byte with any number of descriptors; what sendmsg returned.
    static func send(_ socket: Int32, byte: UInt8, fds: [Int32]) -> Int {
        var byte = byte
        let payload = MemoryLayout<Int32>.size * fds.count
        let header = 16
        var control = [UInt8](repeating: 0, count: (header + payload + 7) & ~7)
        return control.withUnsafeMutableBytes { room in
            // struct cmsghdr: its size as a word, SOL_SOCKET, SCM_RIGHTS.
            room.storeBytes(of: header + payload, as: Int.self)
            room.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
            room.storeBytes(of: 1, toByteOffset: 12, as: Int32.self)
            for (index, fd) in fds.enumerated() {
                room.storeBytes(of: fd, toByteOffset: header + 4 * index, as: Int32.self)
            }
            return withUnsafeMutablePointer(to: &byte) { pointer in
                var part = iovec(iov_base: pointer, iov_len: 1)
                return withUnsafeMutablePointer(to: &part) { parts in
                    var message = msghdr()
                    message.msg_iov = parts
                    message.msg_iovlen = 1
                    message.msg_control = room.baseAddress
                    message.msg_controllen = room.count
                    return sendmsg(socket, &message, 0)
                }
            }
        }
    }
}
