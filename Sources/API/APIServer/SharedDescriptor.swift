// SharedDescriptor: what came over the link, in the hands of tasks.

import Posix

/// A descriptor that several tasks may hold; closed with the last of them.
final class SharedDescriptor: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Nil if there is none; closes the others.
    convenience init?(firstOf bundle: consuming FDBundle) {
        guard let first = bundle.takeFirst() else { return nil }
        self.init(first)
    }

    var raw: Int32 { descriptor.raw }
}
