// Frames by hand.

import Wire

enum TestFrames {
    /// The 20 bytes of a header.
    static func bytes(_ header: FrameHeader) throws -> [UInt8] {
        var writer = WireWriter()
        try header.encode(to: &writer, limit: RunnerEdge.frameLimit)
        return writer.bytes
    }
}
