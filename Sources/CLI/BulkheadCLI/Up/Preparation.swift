// Preparation: everything that must be in place before the first daemon starts: directories with their owners, the keys
// of the house, the listening sockets, the memory for the grants. Safe to repeat; two houses never share a state
// directory.

import Endpoints
import Files
import Foundation
import Posix

/// A site that is ready to start, and the sockets that its daemons will be given.
final class Preparation {
    let site: Site
    let listenAddress: String
    let grants: GrantDirectory
    private let lock: FileDescriptor
    private(set) var sockets: [String: Socket] = [:]

    /// A listening socket that stays open while its daemon is restarted: callers wait instead of being refused.
    final class Socket {
        let descriptor: FileDescriptor

        init(_ descriptor: consuming FileDescriptor) {
            self.descriptor = descriptor
        }
    }

    /// What the person who starts the house says about it.
    struct Wishes {
        let state: String
        let listen: String
        let engine: String?
        let maxRunners: Int
        let pools: PoolSettings
        let allowNoUserNamespaces: Bool
        let allowBuildProfile: Bool
        let runtime: String?
        let runtimeUntrusted: String?
        let forges: ForgeSettings
        let grantsGroup: UInt32?
    }

    init(_ wishes: Wishes) throws {
        let state = URL(fileURLWithPath: wishes.state).standardizedFileURL.path
        let identities = Identities()
        try StateDirectory.prepare(state)
        lock = try StateDirectory.lock(state)
        let binaries = try Self.binaries()
        let engine = try Self.engineSocket(wishes.engine)
        let engineGroup = try Self.engineGroup(engine, identities)
        let instance = try StateDirectory.instance(state)
        let separateUsers = identities.own == 0
        if separateUsers { try StateDirectory.checkTraversable(state) }
        let run = state + "/run"
        try StateDirectory.make(run, mode: 0o711)
        grants = try GrantDirectory.prepare(
            run: run, instance: instance, owner: identities.users[.brokerd], group: wishes.grantsGroup)
        site = Site(
            state: state, run: run, binaries: binaries, runner: binaries + "/bulkhead-runner",
            engine: engine, engineGroup: engineGroup, instance: instance,
            maxRunners: wishes.maxRunners, pools: wishes.pools, allowNoUserNamespaces: wishes.allowNoUserNamespaces,
            allowBuildProfile: wishes.allowBuildProfile, runtime: wishes.runtime,
            runtimeUntrusted: wishes.runtimeUntrusted, forges: wishes.forges,
            separateUsers: separateUsers, identities: identities,
            grants: grants.path)
        listenAddress = wishes.listen
        do {
            try makeDirectories()
            _ = try site.keys.prepare()
            try makeSockets(wishes.listen)
        } catch {
            for problem in grants.close() { Terminal.error(problem) }
            throw error
        }
    }

    // MARK: Directories

    private func makeDirectories() throws {
        try StateDirectory.make(site.state + "/log", mode: 0o700)
        for compartment in [Compartment.schedulerd, .relayd, .brokerd, .courierd] {
            try StateDirectory.make(site.directory(of: compartment), mode: 0o700, owner: site.owner(of: compartment))
        }
        try StateDirectory.make(site.keys.masterKeys, mode: 0o700, owner: site.owner(of: .brokerd))
        for edge in Edge.allCases {
            try StateDirectory.make(site.directory(of: edge), mode: 0o710, owner: site.directoryOwner(of: edge))
        }
    }

    // MARK: Binaries, engine

    private static func binaries() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent()
        let installed = beside.deletingLastPathComponent().appendingPathComponent("libexec/bulkhead")
        for folder in [beside.path, installed.path]
        where FileManager.default.isExecutableFile(atPath: folder + "/bulkhead-schedulerd") {
            return folder
        }
        throw CommandFailure("the daemons are not beside \(own); run `make build` or `make install`", exit: .failure)
    }

    static func engineSocket(_ option: String?) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let named = option ?? environment["BULKHEAD_ENGINE"] ?? environment["DOCKER_HOST"] ?? "/var/run/docker.sock"
        let path = named.hasPrefix("unix://") ? String(named.dropFirst(7)) : named
        guard path.hasPrefix("/") else {
            throw CommandFailure("'\(named)' is not a Unix socket; give --engine a path", exit: .usage)
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(
                "there is no container engine at \(path); start Docker, run `make engine`, or give --engine",
                exit: .usage)
        }
        return path
    }

    /// The group that may use the engine, which spawnerd joins; nil where spawnerd runs as whoever started us.
    private static func engineGroup(_ path: String, _ identities: Identities) throws -> UInt32? {
        guard identities.own == 0 else { return nil }
        let group = try Posix.lstat(path).gid
        guard group != 0 else {
            throw CommandFailure(
                "the engine's socket \(path) belongs to the group root; let it belong to a group of its own "
                    + "(dockerd --group docker), which bulkhead-spawnerd then joins", exit: .usage)
        }
        return group
    }

    // MARK: Sockets

    private func makeSockets(_ listen: String) throws {
        for edge in Edge.allCases {
            // Its directory is ours: nobody can put anything in its place while this goes on.
            let path = site.socket(of: edge)
            let socket = try Posix.listenUnix(path, mode: 0o660)
            if let owner = site.owner(of: edge) { try Posix.chown(path, uid: owner.uid, gid: owner.gid) }
            sockets[edge.rawValue] = Socket(socket)
        }
        guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
            throw CommandFailure("'\(listen)' is not an address like 127.0.0.1:7700; mend --listen", exit: .usage)
        }
        let host = listen[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        do {
            sockets["http"] = Socket(try Posix.listenTCP(host, port: port))
        } catch {
            throw CommandFailure("cannot listen on \(listen): \(error); choose another --listen", exit: .usage)
        }
    }
}
