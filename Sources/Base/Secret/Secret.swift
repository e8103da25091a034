// Bytes worth stealing. They lie in pages of their own: locked (never in swap), left out of core dumps, empty in a
// forked child, and overwritten before they are given back. brokerd keeps keys and values in it, relayd mask patterns.
//
// There is no description, no copy and no `==`: what is not there cannot be logged, duplicated, or compared in a time
// that tells.
import Glibc

/// A fixed-capacity buffer that is empty at first. Whoever takes a pointer out of a closure has left what this type can
/// promise.
@safe
package struct Secret: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    /// Bytes, a whole number of pages.
    private let mapped: Int
    /// The most bytes that it can hold.
    package let capacity: Int
    /// The bytes that it holds.
    package private(set) var count: Int

    /// Room for `capacity` bytes, at least 1. Throws if the kernel gives no page, or will not lock it.
    package init(capacity: Int) throws(SecretError) {
        try unsafe self.init(capacity: capacity) { (_) throws(SecretError) in 0 }
    }

    /// The same, and `body` writes the first bytes; it returns how many. What it throws is thrown, and the room given
    /// back wiped.
    ///
    /// Every other initializer has to delegate to this one as its last step: the compiler (6.3) takes `self = other`
    /// for a second assignment and runs `deinit` on what `self` was before it was anything.
    package init(
        capacity: Int, filledBy body: (UnsafeMutableRawBufferPointer) throws(SecretError) -> Int
    ) throws(SecretError) {
        let capacity = max(capacity, 1)
        let page = sysconf(Int32(_SC_PAGESIZE))
        let size = (capacity + page - 1) / page * page
        let protection = PROT_READ | PROT_WRITE
        let start = unsafe mmap(nil, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw .system(call: "mmap", errno: errno)
        }
        if let failed = unsafe Self.protect(start, size) {
            let code = errno
            _ = unsafe munmap(start, size)
            throw .system(call: failed, errno: code)
        }
        do throws(SecretError) {
            let room = unsafe UnsafeMutableRawBufferPointer(start: start, count: capacity)
            count = try unsafe body(room)
            precondition((0...capacity).contains(count), "more was written than there was room")
        } catch {
            unsafe explicit_bzero(start, size)
            _ = unsafe munmap(start, size)
            throw error
        }
        unsafe base = start
        mapped = size
        self.capacity = capacity
    }

    /// The name of the call that failed.
    private static func protect(_ start: UnsafeMutableRawPointer, _ size: Int) -> String? {
        if unsafe mlock(start, size) != 0 { return "mlock" }
        if unsafe madvise(start, size, MADV_DONTDUMP) != 0 { return "madvise(MADV_DONTDUMP)" }
        if unsafe madvise(start, size, MADV_WIPEONFORK) != 0 { return "madvise(MADV_WIPEONFORK)" }
        return nil
    }

    /// Adds bytes at the end.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SecretError) {
        if bytes.count > capacity - count { throw .full(capacity: capacity) }
        unsafe UnsafeMutableRawBufferPointer(start: base + count, count: bytes.count).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Lets `body` write into the free room behind what is there; it returns how many bytes it has written.
    package mutating func fill<E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        let room = unsafe UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
        let written = try unsafe body(room)
        precondition(written >= 0 && written <= room.count, "more was written than there was room")
        count += written
    }

    /// The bytes, for as long as `body` runs.
    package borrowing func withBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Overwrites the bytes; the secret is empty then and can be filled again.
    package mutating func wipe() {
        unsafe explicit_bzero(base, mapped)
        count = 0
    }

    /// Overwrites bytes that lie elsewhere, before their owner gives them back; no compiler leaves this out.
    package static func overwrite(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        unsafe explicit_bzero(start, bytes.count)
    }

    deinit {
        unsafe explicit_bzero(base, mapped)
        _ = unsafe munmap(base, mapped)
    }
}
