// Memory for what must not stay: keys, grants, values on their way into a step. Pages of their own, overwritten when
// they are let go. Used by the grant's side of the runner only.

import Glibc

/// A fixed number of bytes outside of the heap. Never printed, compared or copied by itself.
package final class WipedBytes {
    private let memory: UnsafeMutableRawBufferPointer
    package let count: Int

    /// Zeros.
    /// - Parameter survivesFork: whether a child sees the bytes before it executes its program; else it sees zeros.
    /// - Returns: nil if the kernel gives no memory.
    package init?(count: Int, survivesFork: Bool = false) {
        let size = max(count, 1)
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let place = mapped, place != MAP_FAILED else { return nil }
        memory = UnsafeMutableRawBufferPointer(start: place, count: size)
        self.count = count
        // All three only make a smaller target of it. A container may lock less memory than a grant takes, and has no
        // swap anyway.
        _ = mlock(place, size)
        _ = madvise(place, size, MADV_DONTDUMP)
        if !survivesFork { _ = madvise(place, size, MADV_WIPEONFORK) }
    }

    deinit {
        wipe()
        munmap(memory.baseAddress, memory.count)
    }

    package func withBytes<Result, Problem: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    package func withMutableBytes<Result, Problem: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try body(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Zeros again.
    package func wipe() {
        // The one that no optimiser takes away.
        if let place = memory.baseAddress { explicit_bzero(place, memory.count) }
    }
}
