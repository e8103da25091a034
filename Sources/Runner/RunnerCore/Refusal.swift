// Why this runner does not do something, for a person.

/// A reason, complete enough to be a job's result.
package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
