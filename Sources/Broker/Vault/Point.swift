// Named points at which a test lets the broker die. In brokerd nothing happens at them.

/// Between two of these, something can be half done.
package enum Point: String, CaseIterable, Sendable {
    /// A grant is complete in memory and nothing is written.
    case beforeAudit
    /// The record is on disk; nothing is released.
    case afterAudit
    /// The sealed grant has its temporary name.
    case grantTemporary
    /// The runner can see the grant.
    case grantRenamed
    /// A file is about to be overwritten; and again: it has been, and still has its size and its name.
    case midWipe
    /// The new store is written beside the old one.
    case storeTemporary
    /// The new store has taken its place; memory still has the old one.
    case storeRenamed
    /// The masks are in their file, and nobody has it yet.
    case masks
}

/// What happens at the points.
package typealias Points = (Point) -> Void
