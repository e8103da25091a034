// Descriptors that travel together: what came with a message, in order. Whatever is not taken is closed.
import Glibc

/// An ordered bundle of owned descriptors.
package struct FDBundle: ~Copyable {
    // Raw, since arrays do not hold noncopyable values; owned by this value alone.
    private var owned: [Int32] = []

    package init() {}

    package init(_ descriptor: consuming FileDescriptor) {
        owned = [descriptor.release()]
    }

    package var count: Int { owned.count }
    package var isEmpty: Bool { owned.isEmpty }
    /// The numbers, lent for the life of the bundle.
    package var raws: [Int32] { owned }

    package mutating func append(_ descriptor: consuming FileDescriptor) {
        owned.append(descriptor.release())
    }

    /// Moves all descriptors of `other` to the end of this one.
    package mutating func append(contentsOf other: consuming FDBundle) {
        owned.append(contentsOf: other.releaseAll())
    }

    package mutating func takeFirst() -> FileDescriptor? {
        owned.isEmpty ? nil : FileDescriptor(owning: owned.removeFirst())
    }

    /// Splits off the first `count` descriptors (or as many as there are).
    package mutating func takeFirst(_ count: Int) -> FDBundle {
        var taken = FDBundle()
        for _ in 0..<min(count, owned.count) { taken.owned.append(owned.removeFirst()) }
        return taken
    }

    private mutating func releaseAll() -> [Int32] {
        defer { owned = [] }
        return owned
    }

    mutating func appendOwned(_ raw: Int32) {
        owned.append(raw)
    }

    deinit {
        for raw in owned { _ = Glibc.close(raw) }
    }
}
