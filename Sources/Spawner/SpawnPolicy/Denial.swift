/// Why there is no plan: a value to change, and where it stands in the request.
package struct Denial: Error, Equatable, Sendable {
    package enum Reason: Sendable {
        /// The site's policy says no, or a value makes no sense.
        case policy
        /// The configuration inside the image is not acceptable.
        case image
    }
    package let reason: Reason
    /// `shape.resources.memory_bytes`
    package let place: String
    package let text: String

    package init(_ reason: Reason, _ place: String, _ text: String) {
        self.reason = reason
        self.place = place
        self.text = text
    }
}
