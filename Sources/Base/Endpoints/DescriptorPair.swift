// Two descriptors made by one call: the ends of a pipe or of a socket pair.
package import Posix

/// Of a pipe, `first` is the reading end and `second` the writing one.
package struct DescriptorPair: ~Copyable, Sendable {
    package var first: FileDescriptor
    package var second: FileDescriptor

    package init(_ first: consuming FileDescriptor, _ second: consuming FileDescriptor) {
        self.first = first
        self.second = second
    }

    /// Keeps the first and closes the second.
    package consuming func keepFirst() -> FileDescriptor { first }
    /// Keeps the second and closes the first.
    package consuming func keepSecond() -> FileDescriptor { second }
}
