// BodySink: where a large answer goes as it comes.

package protocol BodySink: AnyObject {
    /// Takes the next piece of the body of a good answer. False: no more of it is wanted, and the transfer ends; why,
    /// the sink knows.
    func take(_ piece: ArraySlice<UInt8>) -> Bool
}
