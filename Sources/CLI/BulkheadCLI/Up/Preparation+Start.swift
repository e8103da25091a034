// Preparation+Start: from the process graph to the exact start of each daemon: user, groups, sockets, environment.

import Files
import Posix
import Processes

extension Preparation {
    func log(_ compartment: Compartment) -> String { "\(site.state)/log/\(compartment.rawValue).log" }

    /// Starts a daemon, as systemd would do it: its own user, the groups of the edges on which it is a client, its
    /// listening sockets by LISTEN_FDS, an environment with nothing else in it.
    func start(_ compartment: Compartment) throws -> Int32 {
        let sockets = listeners(compartment)
        var child = ChildSpec(
            executable: "\(site.binaries)/\(compartment.executable)",
            arguments: [compartment.executable] + compartment.arguments(site),
            environment: [
                "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "SWIFT_BACKTRACE=enable=no", "LISTEN_FDS=\(sockets.count)",
                "LISTEN_FDNAMES=\(sockets.map(\.name).joined(separator: ":"))",
            ], workingDirectory: "/")
        child.pidVariable = "LISTEN_PID"
        child.newSession = true
        child.deathSignal = Signal.terminate
        child.descriptors = sockets.enumerated().map { (parent: $1.raw, child: Int32(3 + $0)) }
        if let owner = site.owner(of: compartment) {
            child.user = ChildUser(uid: owner.uid, gid: owner.gid, groups: groups(compartment))
        }
        let output = try Posix.open(log(compartment), [.writeOnly, .create, .append], mode: 0o600)
        child.stdout = output.raw
        child.stderr = output.raw
        return try Posix.spawn(child)
    }

    private func listeners(_ compartment: Compartment) -> [(name: String, raw: Int32)] {
        var names = Edge.allCases.filter { $0.server == compartment }.map(\.rawValue)
        if compartment == .apid { names.append("http") }
        return names.compactMap { name in sockets[name].map { (name, $0.descriptor.raw) } }
    }

    private func groups(_ compartment: Compartment) -> [UInt32] {
        let edges = Edge.allCases.filter { $0.client == compartment }.compactMap { site.identities.groups[$0] }
        return compartment == .spawnerd ? edges + [site.engineGroup].compactMap(\.self) : edges
    }
}
