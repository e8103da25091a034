// The preamble of the runner edge: how the two ends of a byte stream find its beginning again after relayd died in the
// middle of a frame. Pure: RunnerTransport feeds it.

package import Wire

/// relayd writes magic, runner id and a fresh nonce; the runner drops what it holds and answers with the same 48 bytes.
/// Everything before that answer is the rest of an older connection.
package struct SyncScanner {
    package static let magic = Array("BULKHEAD-SYNC-1\n".utf8)

    /// What both sides write.
    package let preamble: [UInt8]
    /// How many bytes of the preamble the last bytes that were seen are.
    private var matched = 0
    /// For each length, how much of the preamble is still matched when the next byte is wrong (Knuth, Morris, Pratt):
    /// a match is found wherever it begins, also inside what looked like one.
    private let fallback: [Int]

    package init(runner: Bytes16, nonce: Bytes16) {
        preamble = Self.magic + runner.array + nonce.array
        var fallback = [0, 0]
        for index in 1..<preamble.count {
            var length = fallback[index]
            while length > 0, preamble[index] != preamble[length] { length = fallback[length] }
            fallback.append(preamble[index] == preamble[length] ? length + 1 : 0)
        }
        self.fallback = fallback
    }

    /// Looks for the end of the answer in the next bytes: the index behind it, or nil if it is not there yet.
    package mutating func find(in bytes: ArraySlice<UInt8>) -> Int? {
        for index in bytes.indices {
            while matched > 0, bytes[index] != preamble[matched] { matched = fallback[matched] }
            if bytes[index] == preamble[matched] { matched += 1 }
            if matched == preamble.count {
                matched = 0
                return index + 1
            }
        }
        return nil
    }
}
