// BodySource: where a large request's body comes from as it goes.

package protocol BodySource: AnyObject {
    /// Bytes in all.
    var size: UInt64 { get }
    /// The next piece, of at most so many bytes; empty at the end. Nil: there is none to be had, and the transfer ends.
    func next(_ most: Int) -> [UInt8]?
}
