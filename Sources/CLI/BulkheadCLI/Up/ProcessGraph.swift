// ProcessGraph: the whole house on one screen: who runs as whom, who listens on what, who may speak to whom.
// `bulkhead up` makes it so, in the manner of qmail-start.

/// A compartment of the house: one process, one user.
package enum Compartment: String, CaseIterable {
    case brokerd, relayd, spawnerd, courierd, schedulerd, apid

    var executable: String { "bulkhead-\(rawValue)" }

    /// User name under systemd or after `make install`, and the fixed number used when there is no such user.
    package var user: (name: String, number: UInt32) {
        switch self {
        case .apid: ("bulkhead-api", 7701)
        case .schedulerd: ("bulkhead-sched", 7702)
        case .spawnerd: ("bulkhead-spawn", 7703)
        case .brokerd: ("bulkhead-broker", 7704)
        case .relayd: ("bulkhead-relay", 7705)
        case .courierd: ("bulkhead-courier", 7706)
        }
    }
}

/// A Unix socket between two compartments. The server owns it; the client has its group, and nobody else has. It lies
/// in a directory of root's, so that no server can put another socket, or a link, in its place.
package enum Edge: String, CaseIterable {
    case scheduler, spawner, stream, relay, broker, mask, courier, forge

    package var client: Compartment {
        switch self {
        case .scheduler: .apid
        case .spawner: .schedulerd
        case .stream: .spawnerd
        case .relay: .schedulerd
        case .broker: .schedulerd
        case .mask: .relayd
        case .courier: .schedulerd
        case .forge: .courierd
        }
    }

    package var server: Compartment {
        switch self {
        case .scheduler: .schedulerd
        case .spawner: .spawnerd
        case .stream: .relayd
        case .relay: .relayd
        case .broker: .brokerd
        case .mask: .brokerd
        case .courier: .courierd
        case .forge: .brokerd
        }
    }

    package var group: (name: String, number: UInt32) {
        switch self {
        case .scheduler: ("bulkhead-scheduler", 7711)
        case .spawner: ("bulkhead-spawner", 7712)
        case .stream: ("bulkhead-stream", 7713)
        case .relay: ("bulkhead-relay-edge", 7714)
        case .broker: ("bulkhead-broker-edge", 7715)
        case .mask: ("bulkhead-mask", 7716)
        case .courier: ("bulkhead-courier-edge", 7717)
        case .forge: ("bulkhead-forge", 7718)
        }
    }
}

extension Compartment {
    /// What the command line of this daemon says, beside the edges: nothing secret, ever.
    func arguments(_ site: Site) -> [String] {
        var arguments: [String] = []
        switch self {
        case .apid:
            break
        case .schedulerd:
            arguments += ["--state", site.directory(of: self), "--instance", site.instance]
            arguments += ["--max-runners", String(site.maxRunners)] + site.pools.arguments
            arguments += site.forges.schedulerArguments
        case .spawnerd:
            arguments += ["--engine-socket", site.engine, "--instance", site.instance, "--runner-path", site.runner]
            arguments += ["--grants", site.grants]
            if let runtime = site.runtime { arguments += ["--runtime", runtime] }
            if let runtime = site.runtimeUntrusted { arguments += ["--runtime-untrusted", runtime] }
            if site.allowNoUserNamespaces { arguments += ["--allow-no-userns", "true"] }
            if site.allowBuildProfile { arguments += ["--allow-build-profile", "true"] }
        case .relayd:
            arguments += ["--state", site.directory(of: self)]
        case .courierd:
            arguments += ["--state", site.directory(of: self)] + site.forges.courierArguments
        case .brokerd:
            arguments += ["--state", site.directory(of: self), "--grants", site.grants]
            arguments += ["--master-keys", site.keys.masterKeys, "--bootstrap", site.keys.bootstrap]
        }
        for edge in Edge.allCases {
            if edge.server == self {
                arguments += ["--\(edge.client.rawValue)-uid", String(site.uid(of: edge.client))]
            }
            if edge.client == self { arguments += ["--\(edge.rawValue)-socket", site.socket(of: edge)] }
        }
        return arguments
    }
}

/// Where this house stands and what its owner allows. Made by `Up` from its options and the machine.
struct Site {
    let state: String
    let run: String
    let binaries: String
    let runner: String
    let engine: String
    /// The group that may use the engine's socket; nil without users of their own.
    let engineGroup: UInt32?
    let instance: String
    let maxRunners: Int
    let pools: PoolSettings
    let allowNoUserNamespaces: Bool
    let allowBuildProfile: Bool
    /// Runtimes of the engine by name (`runc`, `runsc`), for all jobs and for untrusted ones; nil: the engine's own
    /// choice.
    let runtime: String?
    let runtimeUntrusted: String?
    let forges: ForgeSettings
    /// Each daemon under a user of its own; false: everything runs as whoever started it.
    let separateUsers: Bool
    let identities: Identities
    /// Where the grants lie, as the engine sees it.
    let grants: String

    /// The keys of the house: who may give orders, and what opens the broker's store.
    var keys: HouseKeys {
        let broker = directory(of: .brokerd)
        return HouseKeys(
            people: state, masterKeys: broker + "/master", brokerState: broker, masterOwner: owner(of: .brokerd))
    }

    func directory(of compartment: Compartment) -> String { "\(state)/\(compartment.rawValue)" }
    func directory(of edge: Edge) -> String { "\(run)/\(edge.rawValue)" }
    func socket(of edge: Edge) -> String { "\(directory(of: edge))/socket" }
    func uid(of compartment: Compartment) -> UInt32 { identities.users[compartment]?.uid ?? identities.own }

    /// Owner of what belongs to a compartment alone; nil where everything belongs to whoever started us.
    func owner(of compartment: Compartment) -> Owner? { identities.users[compartment] }

    /// Owner of an edge's socket: the server's user, the client's group.
    func owner(of edge: Edge) -> Owner? {
        guard let server = identities.users[edge.server], let group = identities.groups[edge] else { return nil }
        return Owner(uid: server.uid, gid: group)
    }

    /// Owner of the directory that an edge's socket lies in: ourselves; the client's group may enter.
    func directoryOwner(of edge: Edge) -> Owner? {
        identities.groups[edge].map { Owner(uid: identities.own, gid: $0) }
    }
}
