// A vector of C strings for execve, which lives while it is used and is freed then.
import Glibc
import Posix

/// A NULL-terminated array of C strings.
@safe struct CStrings: ~Copyable {
    private var pointers: [UnsafeMutablePointer<CChar>?]

    /// Throws for a text with a NUL, which would be cut short.
    init(_ texts: [String]) throws(PosixError) {
        for text in texts where text.utf8.contains(0) { throw .badPath(text) }
        unsafe pointers = texts.map { unsafe strdup($0) } + [nil]
    }

    func withPointer<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
        unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }

    /// The place in string `index` behind its first `skip` bytes.
    func place(_ index: Int, skip: Int) -> UnsafeMutablePointer<CChar>? {
        unsafe pointers[index].map { unsafe $0 + skip }
    }

    deinit {
        for index in unsafe pointers.indices { unsafe free(pointers[index]) }
    }
}
