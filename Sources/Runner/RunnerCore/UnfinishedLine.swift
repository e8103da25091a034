// The end of a stream's output that is no whole line yet. Pure; Runner+Output drives it.
//
// relayd masks the log of both streams together: were half a line of stdout to go out as it was read, anything on
// stderr would come between the halves of a secret, whether a step means to do that or its buffers end there. So a
// record holds whole lines of one stream, in the order in which lines were ended.
//
// Two things cut a line all the same, and the other stream may come between the pieces then: it is longer than
// `longest`, or its stream is quiet for RunnerConfiguration.lineHold, since a prompt is to be seen. A step's last bytes
// need no end of a line.

/// What one stream has said since its last line feed or carriage return.
package struct UnfinishedLine {
    /// Of an unfinished line no more bytes than this are kept.
    package static let longest = 64 << 10

    private var held: [UInt8] = []

    package init() {}

    /// How many bytes are held back.
    package var count: Int { held.count }
    package var isEmpty: Bool { held.isEmpty }

    /// Takes what was read, and gives what may go out: everything up to the last end of a line. Each byte is looked at
    /// once, from the end, and moved at most twice.
    package mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        guard let end = UnfinishedLine.lastEnd(bytes) else {
            held += bytes
            return held.count > UnfinishedLine.longest ? flush() : []
        }
        let isWhole = end == bytes.count
        guard !held.isEmpty || !isWhole else { return bytes }
        var lines = flush()
        lines += bytes[..<end]
        if !isWhole { held = Array(bytes[end...]) }
        return lines
    }

    /// Gives what there is.
    package mutating func flush() -> [UInt8] {
        defer { held = [] }
        return held
    }

    /// The index behind the last end of a line.
    private static func lastEnd(_ bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            var index = bytes.count
            while index > 0 {
                if bytes[index - 1] == 0x0A || bytes[index - 1] == 0x0D { return index }
                index -= 1
            }
            return nil
        }
    }
}
