// Identities: the users and groups of the house on this machine.

import Posix

/// Numeric users of the compartments and groups of the edges.
struct Identities {
    let own: UInt32
    private(set) var users: [Compartment: Owner] = [:]
    private(set) var groups: [Edge: UInt32] = [:]
    /// What a person should know about the choice; empty when the users exist.
    private(set) var remark = ""

    /// As root: the users by name, or fixed numbers where they do not exist. As anybody else: everything is `own`.
    init() {
        own = Posix.userID
        guard own == 0 else {
            remark = "not root: every daemon runs as you, and any of them that is taken over can read the others' files"
            return
        }
        var numbered: [String] = []
        for compartment in Compartment.allCases {
            let (name, number) = compartment.user
            let found = Accounts.user(named: name).map { Owner(uid: $0.uid, gid: $0.gid) }
            if found == nil { numbered.append("\(name)=\(number)") }
            users[compartment] = found ?? Owner(uid: number, gid: number)
        }
        for edge in Edge.allCases {
            groups[edge] = Accounts.group(named: edge.group.name) ?? edge.group.number
        }
        if !numbered.isEmpty {
            remark = "users not found, fixed numbers taken instead: \(numbered.joined(separator: " "))"
        }
    }
}
