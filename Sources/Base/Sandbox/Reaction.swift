// What happens when a daemon makes a call that its profile does not permit.

/// There is no third way: a profile cannot be switched off.
package enum Reaction: String, CaseIterable, Sendable {
    /// The kernel ends the process, and writes the number of the call into its log (`type=1326`).
    case kill
    /// For diagnosis: the process says the call's name on standard error, then ends (status 159). The call is not made
    /// either.
    case trap
}
