// What a blocking call comes to.

package import Posix
package import Wire

/// A reply and the descriptors that came with it. (A tuple cannot hold a noncopyable value.)
package struct BlockingReply<Message: WireMessage>: ~Copyable {
    package let message: Message
    package var fds: FDBundle
}
