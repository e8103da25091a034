// GrantDirectory: the memory in which brokerd leaves secrets for runners. It must never reach a disk, so it is a tmpfs of its own
// where we may mount one. Made by Preparation, taken away by Supervisor; the engine mounts its parts into containers.

import Files
import Foundation
import Posix

/// The directory of the grants while the house stands.
struct GrantDirectory {
    let path: String
    let isMount: Bool
    /// What a person should know about it.
    let remarks: [String]

    /// As root a tmpfs at `run/grants`; one that an earlier `bulkhead up` left there is taken over, since runners that outlived
    /// it still look into it. As anybody else a directory in memory, if there is such a place.
    static func prepare(run: String, instance: String, owner: Owner?) throws -> GrantDirectory {
        let own = run + "/grants"
        guard let owner else {
            if let runtime = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"),
                Host.isMemory(runtime)
            {
                return try plain("\(runtime)/bulkhead-\(instance)", owner: nil, remarks: swapRemark)
            }
            return try plain(own, owner: nil, remarks: [onDisk(own, "XDG_RUNTIME_DIR is not in memory")])
        }
        try StateDirectory.make(own, mode: 0o700, owner: owner)
        if try Posix.lstat(own).device != Posix.lstat(run).device, Host.isMemory(own) {
            return GrantDirectory(path: own, isMount: true, remarks: [])
        }
        let options = "mode=0700,uid=\(owner.uid),gid=\(owner.gid),size=16m,nr_inodes=8192"
        var error = Host.mountMemory(own, options: options + ",noswap")
        if error == 0 { return GrantDirectory(path: own, isMount: true, remarks: []) }
        // `noswap` came with Linux 6.4.
        if error == EINVAL { error = Host.mountMemory(own, options: options) }
        if error == 0 { return GrantDirectory(path: own, isMount: true, remarks: swapRemark) }
        let reason = "cannot mount a tmpfs (\(PosixError.text(of: error)))"
        if Host.isMemory("/run") { return try plain("/run/bulkhead-\(instance)", owner: owner, remarks: swapRemark) }
        return try plain(own, owner: owner, remarks: [onDisk(own, reason)])
    }

    private static func plain(_ path: String, owner: Owner?, remarks: [String]) throws -> GrantDirectory {
        try StateDirectory.make(path, mode: 0o700, owner: owner)
        return GrantDirectory(path: path, isMount: false, remarks: remarks)
    }

    private static var swapRemark: [String] {
        Host.isSwapOn
            ? ["swap is on, and secrets on their way to a job could be written to it; turn it off or encrypt it"] : []
    }

    private static func onDisk(_ path: String, _ reason: String) -> String {
        "\(reason): secrets on their way to a job are written, sealed, below \(path), with their key beside them"
    }

    /// When brokerd has ended: overwrites what it left, and takes the mount away. What went wrong, in words.
    func close() -> [String] {
        var problems: [String] = []
        do {
            for runner in try Posix.directoryEntries(path) { try wipe("\(path)/\(runner)") }
        } catch {
            problems.append("cannot wipe \(path): \(error)")
        }
        if isMount {
            let error = Host.unmount(path)
            if error != 0 { problems.append("cannot unmount \(path): \(PosixError.text(of: error))") }
        }
        return problems
    }

    /// Every file of one runner. The directory stays: its container may go on, and is dealt with at the next start.
    private func wipe(_ runner: String) throws {
        guard try Posix.lstat(runner).kind == .directory else { return try Posix.unlink(runner) }
        for name in try Posix.directoryEntries(runner) {
            let file = "\(runner)/\(name)"
            let status = try Posix.lstat(file)
            if status.kind == .regular {
                try Posix.chmod(file, 0o600)
                let open = try Posix.open(file, [.writeOnly, .noFollow])
                try Posix.writeAll(open.raw, [UInt8](repeating: 0, count: Int(min(status.size, 16 << 20))))
                try Posix.ftruncate(open.raw, size: 0)
            }
            try Posix.unlink(file)
        }
    }
}
