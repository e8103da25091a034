// An order that has been opened and checked: by whom, when, for this house.

import Secret
import Wire

/// What remains to be done is what it says.
struct GivenOrder: ~Copyable {
    let order: Order
    /// What it brings; empty for an order that brings nothing.
    let value: Secret
}
