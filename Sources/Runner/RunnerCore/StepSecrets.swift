// The secrets of one step: variables in a block that its process is started with, and files that are gone when it ends.

import Files
import Glibc
import Posix
package import Processes
package import Wire

/// Made before a step starts, let go when nothing of it is left.
package final class StepSecrets {
    /// `NAME=value` strings, each ended by a NUL. Only until the program runs.
    private(set) var variables: WipedBytes?
    /// Paths, with the variables that say them.
    package private(set) var files: [(variable: String, path: String)] = []
    private let owner: ChildUser?
    private var open: [(path: String, fd: FileDescriptorBox, size: Int)] = []

    /// - Parameters:
    ///   - directory: where files are made; `owner`'s.
    package init(
        _ step: Step, _ grant: GrantContents, directory: String, owner: ChildUser?
    ) throws(Refusal) {
        self.owner = owner
        variables = try StepSecrets.block(step.secrets.filter { $0.form == .variable }, grant)
        for use in step.secrets where use.form == .file {
            try makeFile(use, grant, directory + "/" + use.variable)
        }
    }

    /// Where `remove` was not called, no step began, and the job ends with its container: nobody is left to be told.
    deinit { _ = remove() }

    /// The program runs and has its own copy.
    func started() { variables = nil }

    /// Overwrites and removes the files. Whatever the step did with them: through descriptors, and by their names.
    /// - Returns: why something of them may be left, for the next step to find; nil: nothing is.
    package func remove() -> String? {
        variables = nil
        var problem: PosixError?
        func attempt(_ body: () throws(PosixError) -> Void) {
            do throws(PosixError) { try body() } catch { problem = problem ?? error }
        }
        for file in open {
            let zeros = [UInt8](repeating: 0, count: file.size)
            attempt { () throws(PosixError) in try Posix.pwriteAll(file.fd.raw, zeros[...], at: 0) }
            attempt { () throws(PosixError) in try Posix.ftruncate(file.fd.raw, size: 0) }
            attempt { () throws(PosixError) in
                try FileUser.perform(as: owner) { () throws(PosixError) in try Posix.unlinkIfThere(file.path) }
            }
        }
        open = []
        return problem?.description
    }

    private static func block(_ uses: [SecretUse], _ grant: GrantContents) throws(Refusal) -> WipedBytes? {
        guard !uses.isEmpty else { return nil }
        var size = 0
        for use in uses {
            var hasNUL = false
            let isGranted = grant.withValue(use.name) { value in
                size += use.variable.utf8.count + value.count + 2
                hasNUL = value.contains(0)
            }
            guard isGranted else { throw Refusal("the secret '\(use.name)' was not granted") }
            if hasNUL {
                throw Refusal("the secret '\(use.name)' has a zero byte: take it as a file, not as a variable")
            }
        }
        // The child needs it between fork and exec.
        guard let block = WipedBytes(count: size, survivesFork: true) else { throw Refusal("no memory for secrets") }
        block.withMutableBytes { bytes in
            var at = 0
            for use in uses {
                for byte in Array((use.variable + "=").utf8) {
                    bytes[at] = byte
                    at += 1
                }
                _ = grant.withValue(use.name) { value in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[at...]).copyMemory(from: value)
                    at += value.count
                }
                // The memory was zero: the NUL is there.
                at += 1
            }
        }
        return block
    }

    private func makeFile(_ use: SecretUse, _ grant: GrantContents, _ path: String) throws(Refusal) {
        do throws(PosixError) {
            try FileUser.perform(as: owner) { () throws(PosixError) in
                // A step before this one may have left something of this name.
                try Posix.unlinkIfThere(path)
                let file = FileDescriptorBox(
                    try Posix.open(path, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o400))
                var size = 0
                var problem: Int32 = 0
                _ = grant.withValue(use.name) { value in
                    size = value.count
                    if write(file.raw, value.baseAddress, value.count) != value.count { problem = max(errno, 1) }
                }
                open.append((path, file, size))
                if problem != 0 { throw .system(call: "write", errno: problem) }
            }
            files.append((use.variable, path))
        } catch {
            throw Refusal("the file of the secret '\(use.name)' cannot be made: \(error)")
        }
    }
}

/// A descriptor in an array: `FileDescriptor` is not copyable.
final class FileDescriptorBox {
    private let fd: FileDescriptor

    init(_ fd: consuming FileDescriptor) {
        self.fd = fd
    }

    var raw: Int32 { fd.raw }
}

extension Posix {
    /// Succeeds if there is nothing of this name: a step may remove and move what is its own.
    fileprivate static func unlinkIfThere(_ path: String) throws(PosixError) {
        do throws(PosixError) { try unlink(path) } catch { if error.errno != ENOENT { throw error } }
    }
}
