// One received frame, whole: its header, where its body lies, and the descriptors that came with it.

package import Posix
package import Wire

/// Made by `FrameDecoder`. Whoever drops it closes its descriptors.
package struct Frame: ~Copyable {
    package let header: FrameHeader
    /// Where the body lies in the decoder's buffer, until the next read.
    package let body: Range<Int>
    package var fds: FDBundle
    /// Whether exactly as many descriptors rode on the frame's first byte as its header says. Not an error of the
    /// decoder's: the order of checks asks first whether the message is permitted at all.
    package let fdsAreComplete: Bool
}
