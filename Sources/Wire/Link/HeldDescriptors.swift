// Descriptors that wait in an array, which cannot hold a noncopyable bundle.

import Posix

/// Closes them at its end.
final class HeldDescriptors {
    private let bundle: FDBundle
    let raws: [Int32]

    init(_ bundle: consuming FDBundle) {
        raws = bundle.raws
        self.bundle = bundle
    }
}
