// GrantDirectory: the memory in which brokerd leaves secrets for runners. It must never reach a disk, so it is a tmpfs
// of its own where we may mount one. Made by Preparation, taken away by Supervisor; the engine mounts its parts into
// containers.

import Files
import Foundation
import Posix

/// The directory of the grants while the house stands.
package struct GrantDirectory {
    let path: String
    let isMount: Bool
    /// What a person should know about it.
    let remarks: [String]

    package init(path: String, isMount: Bool, remarks: [String]) {
        self.path = path
        self.isMount = isMount
        self.remarks = remarks
    }

    /// As root a tmpfs at `run/grants`; one that an earlier `bulkhead up` left there is taken over, since runners that
    /// outlived it still look into it. As anybody else a directory in memory, if there is such a place.
    ///
    /// `group` may pass through it, to what it knows by name. An engine mounts as root, or as the owner where it is
    /// rootless; but gVisor does it as the root of the container, who is somebody else.
    static func prepare(run: String, instance: String, owner: Owner?, group: UInt32?) throws -> GrantDirectory {
        let own = run + "/grants"
        guard let broker = owner else {
            if let runtime = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"),
                Host.isMemory(runtime)
            {
                return try plain("\(runtime)/bulkhead-\(instance)", owner: nil, remarks: swapRemark)
            }
            return try plain(own, owner: nil, remarks: [onDisk(own, "XDG_RUNTIME_DIR is not in memory")])
        }
        let owner = Owner(uid: broker.uid, gid: group ?? broker.gid)
        let mode: UInt32 = group == nil ? 0o700 : 0o710
        try StateDirectory.make(own, mode: mode, owner: owner)
        if try Posix.lstat(own).device != Posix.lstat(run).device, Host.isMemory(own) {
            return GrantDirectory(path: own, isMount: true, remarks: [])
        }
        let options = "mode=0\(String(mode, radix: 8)),uid=\(owner.uid),gid=\(owner.gid),size=16m,nr_inodes=8192"
        var error = Host.mountMemory(own, options: options + ",noswap")
        if error == 0 { return GrantDirectory(path: own, isMount: true, remarks: []) }
        // `noswap` came with Linux 6.4.
        if error == EINVAL { error = Host.mountMemory(own, options: options) }
        if error == 0 { return GrantDirectory(path: own, isMount: true, remarks: swapRemark) }
        let reason = "cannot mount a tmpfs (\(PosixError.text(of: error)))"
        if Host.isMemory("/run") {
            return try plain("/run/bulkhead-\(instance)", mode: mode, owner: owner, remarks: swapRemark)
        }
        return try plain(own, mode: mode, owner: owner, remarks: [onDisk(own, reason)])
    }

    private static func plain(
        _ path: String, mode: UInt32 = 0o700, owner: Owner?, remarks: [String]
    ) throws -> GrantDirectory {
        try StateDirectory.make(path, mode: mode, owner: owner)
        return GrantDirectory(path: path, isMount: false, remarks: remarks)
    }

    private static var swapRemark: [String] {
        Host.isSwapOn
            ? ["swap is on, and secrets on their way to a job could be written to it; turn it off or encrypt it"] : []
    }

    private static func onDisk(_ path: String, _ reason: String) -> String {
        "\(reason): secrets on their way to a job are written below \(path), sealed with a key that lies beside them, "
            + "and what is masked in its log, for a moment, as it is"
    }

    /// When brokerd has ended: overwrites what it left, and takes the mount away. What went wrong, in words.
    package func close() -> [String] {
        var problems: [String] = []
        do {
            problems = try Self.wipe(try Posix.open(path, [.readOnly, .directory, .noFollow]), isRunner: false)
        } catch {
            problems.append("cannot wipe \(path): \(error)")
        }
        if isMount {
            let error = Host.unmount(path)
            if error != 0 { problems.append("cannot unmount \(path): \(PosixError.text(of: error))") }
        }
        return problems
    }

    /// Every file in the directory, and in those of the runners, which stay: a container may go on, and is dealt with
    /// at the next start. All of it belongs to brokerd, which may have been taken over: nothing is done by a name that
    /// could be a link.
    private static func wipe(_ directory: consuming FileDescriptor, isRunner: Bool) throws -> [String] {
        var problems: [String] = []
        let owner = try Posix.fstat(directory.raw).uid
        for name in try Posix.directoryEntries("/proc/self/fd/\(directory.raw)") {
            do {
                let place = try Posix.open(at: directory.raw, name, [.path, .noFollow])
                let status = try Posix.fstat(place.raw)
                if status.kind == .directory, !isRunner {
                    let runner = try Posix.open(at: directory.raw, name, [.readOnly, .directory, .noFollow])
                    problems += try wipe(runner, isRunner: true)
                    continue
                }
                // Another one's file is a hard link to something that is not ours to overwrite.
                if status.kind == .regular, status.uid == owner { try overwrite(place.raw, status.size) }
                try Posix.unlink(name, at: directory.raw)
            } catch {
                problems.append("cannot wipe \(name) of the grants: \(error)")
            }
        }
        return problems
    }

    /// `raw`: of `.path`, which stands for this file and no other.
    private static func overwrite(_ raw: Int32, _ size: Int64) throws(PosixError) {
        let path = "/proc/self/fd/\(raw)"
        try Posix.chmod(path, 0o600)
        let file = try Posix.open(path, .writeOnly)
        try Posix.writeAll(file.raw, [UInt8](repeating: 0, count: Int(min(size, 16 << 20))))
        try Posix.ftruncate(file.raw, size: 0)
    }
}
