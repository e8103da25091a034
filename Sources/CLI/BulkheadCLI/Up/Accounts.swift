// Looking up users and groups of the host by name. Here and in no daemon, since the C library loads modules of the host
// for it. Talks to the C library; Identities asks it.

import Glibc

/// The host's users and groups.
enum Accounts {
    struct User: Equatable, Sendable {
        let uid: UInt32
        let gid: UInt32
    }

    /// nil if there is no such user.
    static func user(named name: String) -> User? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        return unsafe withRoom { room, size in
            let error = unsafe getpwnam_r(name, &entry, room, size, &found)
            if error == ERANGE { return nil }
            return .some(unsafe found.map { unsafe User(uid: $0.pointee.pw_uid, gid: $0.pointee.pw_gid) })
        }
    }

    /// The number of a group; nil if there is no such group.
    static func group(named name: String) -> UInt32? {
        var entry = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        return unsafe withRoom { room, size in
            let error = unsafe getgrnam_r(name, &entry, room, size, &found)
            if error == ERANGE { return nil }
            return .some(unsafe found.map { unsafe $0.pointee.gr_gid })
        }
    }

    /// Calls `look` with more and more room until it no longer answers nil: a group may have thousands of members.
    private static func withRoom<Result>(
        _ look: (UnsafeMutablePointer<CChar>, Int) -> Result??
    ) -> Result? {
        var size = 4096
        while size <= 4_194_304 {
            var room = [CChar](repeating: 0, count: size)
            if let answer = unsafe look(&room, size) { return answer }
            size *= 4
        }
        return nil
    }
}
