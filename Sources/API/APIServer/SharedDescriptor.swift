// SharedDescriptor: what came over the link, in the hands of tasks.

import Posix

/// A descriptor that several tasks may hold; closed with the last of them.
final class SharedDescriptor: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    var raw: Int32 { descriptor.raw }
}
