// What a caller may do about an error; errors.wire gives every code its class.

/// The retry class of an error code.
package enum RetryClass: String, Sendable {
    /// The request cannot succeed.
    case never
    /// Change the request.
    case fix
    /// The same request may succeed later.
    case later
}
