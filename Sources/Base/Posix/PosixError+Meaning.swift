// What an error number means to who asks. The numbers stand in Base only: nothing above it has to know one.
import Glibc

extension PosixError {
    /// There is no such file, directory or program.
    package var isMissing: Bool { errno == ENOENT }
    /// It is not a directory but something else, perhaps a link to one.
    package var isNoDirectory: Bool { errno == ENOTDIR || errno == ELOOP }
    /// The name is taken.
    package var isTaken: Bool { errno == EEXIST }
    /// Not now: a queue or buffer is full, or a lock is held by another.
    package var isAgain: Bool { errno == EAGAIN }
    /// No space is left, or none for this user.
    package var isFull: Bool { errno == ENOSPC || errno == EDQUOT }
    /// The file may not become so large. What is shorter may still fit.
    package var isFileTooLarge: Bool { errno == EFBIG }
    /// No memory or descriptors are left; it says nothing about the file that it happened to.
    package var isOfTheMachine: Bool { [ENOMEM, ENOBUFS, EMFILE, ENFILE].contains(errno) }

    /// A link leads out of the directory that was to hold it, or in circles.
    package var isOutside: Bool { errno == EXDEV || errno == ELOOP }
    /// It is not done with this kind of file, or not in this way.
    package var isUnsupported: Bool { errno == EINVAL }

    /// What is to be gone is still there.
    package static func stillThere(_ call: String) -> PosixError { .system(call: call, errno: EEXIST) }
    /// It is not done, and no caller of ours asks for it.
    package static func unsupported(_ call: String) -> PosixError { .system(call: call, errno: EINVAL) }
    /// What came is not of the protocol.
    package static func notTheProtocol(_ call: String) -> PosixError { .system(call: call, errno: EPROTO) }
}
