// What stat(2) says of a file.
import Glibc

/// The kind, size and owner of a file.
package struct FileStatus: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case regular, directory, symbolicLink, socket, pipe, characterDevice, blockDevice, other
    }

    package let kind: Kind
    /// Bytes.
    package let size: Int64
    /// Permission bits only, setuid and sticky included.
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32
    package let links: UInt64
    package let device: UInt64
    package let inode: UInt64
    /// Seconds since 1970.
    package let modified: Int64

    init(_ found: stat) {
        switch found.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        case S_IFSOCK: kind = .socket
        case S_IFIFO: kind = .pipe
        case S_IFCHR: kind = .characterDevice
        case S_IFBLK: kind = .blockDevice
        default: kind = .other
        }
        size = Int64(found.st_size)
        mode = found.st_mode & 0o7777
        uid = found.st_uid
        gid = found.st_gid
        links = UInt64(found.st_nlink)
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        modified = Int64(found.st_mtim.tv_sec)
    }
}
