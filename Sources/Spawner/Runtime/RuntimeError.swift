/// What a driver's call can come to. The texts are for operators.
package enum RuntimeError: Error, Equatable, Sendable {
    /// The engine does not answer, not in time, or broke off: the same call may succeed later.
    case unavailable(String)
    /// It answered something that is not its protocol.
    case garbled(String)
    /// It said no: its status (an HTTP one for engines that speak HTTP) and its words.
    case refused(status: Int, String)
    case imageMissing(String)
    case noSuchContainer
    /// What the engine made is not what was planned; the field's path in the engine's words.
    case mismatch(field: String)
}
