// A vector of C strings for execve, which lives while it is used and is freed then.
import Glibc
import Posix

/// A NULL-terminated array of C strings.
@safe struct CStrings: ~Copyable {
    private var pointers: [UnsafeMutablePointer<CChar>?]
    /// How many of the strings are ours to free.
    private let owned: Int

    /// Throws for a text with a NUL, which would be cut short.
    init(_ texts: [String]) throws(PosixError) {
        for text in texts where text.utf8.contains(0) { throw .badPath(text) }
        owned = texts.count
        unsafe pointers = texts.map { unsafe strdup($0) } + [nil]
    }

    /// The texts, then the strings that lie in `block`, each ended by a NUL. The block is not copied: it has to live as
    /// long as this vector is used.
    init(_ texts: [String], then block: UnsafeRawBufferPointer) throws(PosixError) {
        try self.init(texts)
        unsafe pointers.removeLast()
        var start = 0
        for index in 0..<block.count where unsafe block[index] == 0 {
            let place = unsafe block.baseAddress?.advanced(by: start)
            unsafe pointers.append(UnsafeMutableRawPointer(mutating: place)?.assumingMemoryBound(to: CChar.self))
            start = index + 1
        }
        unsafe pointers.append(nil)
    }

    func withPointer<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
        unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }

    /// The place in string `index` behind its first `skip` bytes.
    func place(_ index: Int, skip: Int) -> UnsafeMutablePointer<CChar>? {
        unsafe pointers[index].map { unsafe $0 + skip }
    }

    deinit {
        for index in 0..<owned { unsafe free(pointers[index]) }
    }
}
