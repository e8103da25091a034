// An edge's schema as a value: what Session needs of a `WireEdge` type, so that the state machine is one piece of code
// and not one per edge.

package import Wire

/// The table of one edge. Made once per server or client and shared by its connections.
package final class EdgeTable: Sendable {
    let name: String
    let major: UInt16
    let minor: UInt16
    let frameLimit: Int
    let client: Role
    let server: Role
    let phases: [String]
    let rules: [MessageRule]
    /// Bit p of the n-th word: rule n may be sent in phase p.
    private let phaseMasks: [UInt64]
    /// By type: index into `rules` + 1; 0 means that there is no such message.
    private let indexByType: [UInt16]

    package init<Edge: WireEdge>(_ edge: Edge.Type) {
        name = edge.name
        major = edge.major
        minor = edge.minor
        frameLimit = edge.frameLimit
        client = edge.client
        server = edge.server
        phases = edge.phases
        rules = edge.rules
        phaseMasks = edge.rules.map { rule in rule.phases.reduce(0) { $0 | 1 << UInt64($1) } }
        // Types are small numbers; the table is at most 128 KiB even if one were not.
        var index = [UInt16](repeating: 0, count: 1 + Int(edge.rules.map(\.type).max() ?? 0))
        for (position, rule) in edge.rules.enumerated() { index[Int(rule.type)] = UInt16(position + 1) }
        indexByType = index
    }

    /// The row of a type, as an index into `rules`.
    func index(of type: UInt16) -> Int? {
        let type = Int(type)
        guard type < indexByType.count, indexByType[type] != 0 else { return nil }
        return Int(indexByType[type]) - 1
    }

    func permits(_ rule: Int, in phase: UInt8) -> Bool {
        phase < 64 && phaseMasks[rule] & (1 << UInt64(phase)) != 0
    }

    /// The role that the side of this edge must have.
    func role(of side: Side) -> Role {
        side == .client ? client : server
    }
}
