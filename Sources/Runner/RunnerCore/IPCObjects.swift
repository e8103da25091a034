// System V shared memory, message queues and semaphores: they belong to no process and have permissions that their
// maker chooses, so one step could leave them for the next, which may be another user's.

import CLinux
import CSpawn
import Files
import Glibc
import Posix

enum IPCObjects {
    /// The kernel's lists: the file, and what the column with the number is called.
    private static let lists: [(path: String, column: Substring, kind: Int32)] = [
        ("/proc/sysvipc/shm", "shmid", Int32(BH_IPC_MEMORY.rawValue)),
        ("/proc/sysvipc/msg", "msqid", Int32(BH_IPC_MESSAGES.rawValue)),
        ("/proc/sysvipc/sem", "semid", Int32(BH_IPC_SEMAPHORES.rawValue)),
    ]

    /// Removes what belongs to `user` or was made by it, in this container; none of its processes is left. A kernel
    /// that shows no lists keeps them until the container's end.
    static func remove(of user: UInt32) {
        let found = lists.flatMap { (list) -> [(Int32, Int32)] in
            // However long: whatever could not be read would stay.
            let text = (try? Posix.readFile(list.path, limit: .max)).map { String(decoding: $0, as: UTF8.self) }
            return ids(in: text ?? "", column: list.column, of: user).map { (list.kind, $0) }
        }
        guard !found.isEmpty else { return }
        // Only the owner may, or who rules the machine. The effective user is enough, and nobody can signal us for it:
        // that takes the real or the saved one.
        guard bh_set_effective_user(user) == 0 else { return }
        for (kind, id) in found { _ = bh_remove_ipc(kind, id) }
        // A runner that does not know who it is does nothing more.
        guard bh_set_effective_user(getuid()) == 0 else { exit(71) }
    }

    /// One line an object, and one of headings.
    static func ids(in text: String, column: Substring, of user: UInt32) -> [Int32] {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard let headings = lines.first, let number = headings.firstIndex(of: column) else { return [] }
        let owners = headings.indices.filter { headings[$0] == "uid" || headings[$0] == "cuid" }
        return lines.dropFirst().compactMap { fields in
            guard fields.count == headings.count, owners.contains(where: { UInt32(fields[$0]) == user }) else {
                return nil
            }
            return Int32(fields[number])
        }
    }
}
