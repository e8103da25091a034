// One line of a profile: a system call, what its arguments must be, and why the daemon needs it.

/// A permitted call, or one that is refused with an error instead of the daemon's end.
package struct Rule: Equatable, Sendable {
    /// What one argument must be, as `(argument & mask) == one of values`. Only the low 32 bits count: the arguments
    /// that profiles speak of are ints, whose upper half the C library leaves as it happens to be.
    package struct Condition: Equatable, Sendable {
        package let argument: UInt32
        package let mask: UInt32
        package let values: [Value]

        package init(argument: UInt32, mask: UInt32, values: [Value]) {
            self.argument = argument
            self.mask = mask
            self.values = values
        }
    }

    /// A number, or one that is only known in the process itself.
    package enum Value: Equatable, Sendable {
        case number(UInt32)
        /// `self`: the number of the process.
        case ownProcess
    }

    /// The line in its file, from 1.
    package let line: Int
    package let call: String
    /// All of them must hold; none: the call is permitted whatever its arguments are.
    package let conditions: [Condition]
    /// The call is not made, and answers with this.
    package let refusal: Int32?
    package let reason: String
    /// Not seen in the tests, and needed all the same: the reason says when.
    package let isRare: Bool
}
