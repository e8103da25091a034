// What a process manager, or the kernel, would have done to a process.
import Glibc
import Posix

enum Placement {
    /// Undoes `Sandbox.notDumpable`, which the runner of the tests does to its processes, too. Bound by its name: the
    /// importer leaves variadic functions out.
    static func setDumpable() -> Bool {
        typealias Call = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        guard let symbol = dlsym(nil, "prctl") else { return false }
        return unsafeBitCast(symbol, to: Call.self)(4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0) == 0
    }

    /// Becomes another user for good, as the child does that a process manager starts. Root's real, effective and saved
    /// ids all change.
    static func becomeUser(uid: UInt32, gid: UInt32, groups: [UInt32] = []) throws(PosixError) {
        guard setgroups(groups.count, groups) == 0, setgid(gid) == 0, setuid(uid) == 0 else {
            throw .system(call: "become user \(uid)", errno: errno)
        }
    }

    static func set(_ name: String, _ value: String) {
        setenv(name, value, 1)
    }

    static func isCloseOnExec(_ raw: Int32) -> Bool {
        fcntl(raw, F_GETFD) & FD_CLOEXEC != 0
    }

    /// A datagram socket bound to `path`, as a service manager has it.
    static func datagramSocket(_ path: String) -> Int32 {
        let raw = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? raw : -1
    }
}
