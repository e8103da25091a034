// What a received frame means to its connection.

package import Posix
package import Wire

/// The actions that `Session.next` hands to its driver (`Channel`, `BlockingClient`, tests).
package enum SessionEvent: ~Copyable {
    /// Both hellos have passed: requests may go out.
    case ready
    /// The peer has said why it is about to close. Nothing follows.
    case goodbye(Failure)
    /// Decode the body, then call `Session.admit`, then handle it.
    case request(IncomingRequest, FDBundle)
    /// The successful answer to our call.
    case reply(id: UInt64, body: Range<Int>, FDBundle)
    /// One item of our stream.
    case item(id: UInt64, body: Range<Int>, FDBundle)
    /// Our stream has ended well.
    case end(id: UInt64)
    /// Our call or stream was answered with an error.
    case error(id: UInt64, Failure)
    /// An item or the end of a request that we had given up: there may be room in the window again.
    case answerIgnored
    /// The peer no longer wants the items of this stream of ours, which is still open: stop, and send its end.
    case abandoned(id: UInt64, type: UInt16)
}
