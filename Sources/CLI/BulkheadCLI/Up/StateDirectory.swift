// StateDirectory: where a house keeps what must survive it, and the few files in it that `bulkhead up` itself makes.
// What is there already is trusted only if nobody else could have put it there.

import Files
import Foundation
import Posix

package enum StateDirectory {
    /// Where `bulkhead up` keeps its state unless told otherwise.
    static var standard: String {
        if geteuid() == 0 { return "/var/lib/bulkhead" }
        let environment = ProcessInfo.processInfo.environment
        if let home = environment["XDG_STATE_HOME"], home.hasPrefix("/") { return home + "/bulkhead" }
        return (environment["HOME"] ?? "/tmp") + "/.local/state/bulkhead"
    }

    /// Makes the directory, or checks that the one that is there is ours alone.
    static func prepare(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            return try make(path, mode: 0o711)
        }
        let status = try Posix.lstat(path)
        guard status.kind == .directory, status.uid == Posix.userID, status.mode & 0o022 == 0 else {
            throw CommandFailure(
                "\(path) is not a directory that belongs to you alone; choose another --state", exit: .usage)
        }
    }

    /// Makes one directory below, or gives the one that is there its mode and owner; nothing else, whatever is put in
    /// its place by a daemon that the directory above belongs to.
    package static func make(_ path: String, mode: UInt32, owner: Owner? = nil) throws {
        do {
            try Posix.mkdir(path, mode: mode, existing: true)
            let directory = try Posix.open(path, [.readOnly, .directory, .noFollow])
            if let owner { try Host.giveAway(directory.raw, to: owner) }
            try Posix.fchmod(directory.raw, mode)
        } catch {
            throw CommandFailure("cannot make the directory \(path): \(error)", exit: .failure)
        }
    }

    /// The daemons' users must be able to walk to their directories; say so now rather than in four logs.
    static func checkTraversable(_ path: String) throws {
        var current = URL(fileURLWithPath: path)
        while current.path != "/" {
            let mode = try Posix.lstat(current.path).mode
            guard mode & 0o001 != 0 else {
                throw CommandFailure(
                    "the directory \(current.path) is closed to the daemons' users; `chmod o+x` it or choose another "
                        + "--state", exit: .usage)
            }
            current.deleteLastPathComponent()
        }
    }

    /// One house per directory.
    static func lock(_ state: String) throws -> FileDescriptor {
        let file = try Posix.open(state + "/lock", [.readWrite, .create, .noFollow], mode: 0o600)
        guard try Posix.lock(file.raw) else {
            throw CommandFailure(
                "another `bulkhead up` uses this state directory; stop it or choose another --state", exit: .usage)
        }
        return file
    }

    /// The name under which this house marks its containers: 16 hexadecimal digits, made at the first start.
    static func instance(_ state: String) throws -> String {
        let path = state + "/instance"
        guard let text = try read(path) else {
            let text = hex(try Posix.randomBytes(8))
            try Posix.replaceFile(path, with: Array((text + "\n").utf8), mode: 0o644)
            return text
        }
        guard text.count == 16, text.allSatisfy(\.isHexDigit) else {
            throw CommandFailure("\(path) is damaged; it should hold 16 hexadecimal digits", exit: .failure)
        }
        return text
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// The text of a file that is ours, nil if there is none.
    private static func read(_ path: String) throws -> String? {
        let status: FileStatus
        do {
            status = try Posix.lstat(path)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        guard status.kind == .regular, status.uid == Posix.userID, status.mode & 0o022 == 0 else {
            throw CommandFailure(
                "\(path) could have been written by others; remove it, and a new one is made", exit: .failure)
        }
        let bytes = try Posix.readFile(path, limit: 4096)
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Who owns a file: numbers.
package struct Owner: Equatable, Sendable {
    package let uid: UInt32
    package let gid: UInt32

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}
