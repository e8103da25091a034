// Preparation: everything that must be in place before the first daemon starts: directories with their owners, the
// admin token, the listening sockets. Safe to repeat; two houses never share a state directory.

import Crypto
import Foundation
import Posix

/// A site that is ready to start, and the sockets that its daemons will be given.
final class Preparation {
    let site: Site
    let listenAddress: String
    private let lock: FileDescriptor
    private(set) var sockets: [String: Socket] = [:]

    /// A listening socket that stays open while its daemon is restarted: callers wait instead of being refused.
    final class Socket {
        let descriptor: FileDescriptor

        init(_ descriptor: consuming FileDescriptor) {
            self.descriptor = descriptor
        }
    }

    init(
        state: String, listen: String, engine: String?, maxRunners: Int, allowNoUserNamespaces: Bool,
        allowBuildProfile: Bool
    ) throws {
        let state = URL(fileURLWithPath: state).standardizedFileURL.path
        let identities = Identities()
        try Self.directory(state, mode: 0o711, owner: nil)
        lock = try Self.takeLock(state + "/lock")
        let binaries = try Self.binaries()
        site = Site(
            state: state, run: state + "/run", binaries: binaries, runner: binaries + "/bulkhead-runner",
            engine: try Self.engineSocket(engine), instance: try Self.instance(state),
            maxRunners: maxRunners, allowNoUserNamespaces: allowNoUserNamespaces,
            allowBuildProfile: allowBuildProfile, separateUsers: identities.own == 0, identities: identities)
        listenAddress = listen
        if site.separateUsers { try Self.checkTraversable(state) }
        try makeDirectories()
        try makeToken()
        try makeSockets(listen)
    }

    // MARK: Directories

    private func makeDirectories() throws {
        try Self.directory(site.state + "/log", mode: 0o700, owner: nil)
        try Self.directory(site.run, mode: 0o711, owner: nil)
        for compartment in [Compartment.schedulerd, .relayd] {
            try Self.directory(site.directory(of: compartment), mode: 0o700, owner: owner(compartment))
        }
        for edge in Edge.allCases {
            let group = site.identities.groups[edge]
            let owner = site.separateUsers ? (site.uid(of: edge.server), group ?? 0) : nil
            try Self.directory(site.directory(of: edge), mode: 0o710, owner: owner)
        }
    }

    private func owner(_ compartment: Compartment) -> (UInt32, UInt32)? {
        site.separateUsers ? (site.uid(of: compartment), site.uid(of: compartment)) : nil
    }

    private static func directory(_ path: String, mode: UInt32, owner: (UInt32, UInt32)?) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            if let owner { try Posix.chown(path, uid: owner.0, gid: owner.1) }
            try Posix.chmod(path, mode)
        } catch {
            throw CommandFailure("cannot make the directory \(path): \(error)", exit: .failure)
        }
    }

    /// The daemons' users must be able to walk to their directories; say so now rather than in four logs.
    private static func checkTraversable(_ path: String) throws {
        var current = URL(fileURLWithPath: path)
        while current.path != "/" {
            let attributes = try FileManager.default.attributesOfItem(atPath: current.path)
            let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
            guard mode & 0o001 != 0 else {
                throw CommandFailure(
                    "the directory \(current.path) is closed to the daemons' users; `chmod o+x` it or choose another --state",
                    exit: .usage)
            }
            current.deleteLastPathComponent()
        }
    }

    private static func takeLock(_ path: String) throws -> FileDescriptor {
        let file = try Posix.open(path, [.readWrite, .create], mode: 0o600)
        guard try Posix.lock(file.raw) else {
            throw CommandFailure(
                "another `bulkhead up` uses this state directory; stop it or choose another --state", exit: .usage)
        }
        return file
    }

    // MARK: Identity, token, engine

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

    private static func instance(_ state: String) throws -> String {
        let path = state + "/instance"
        if let known = try? String(contentsOfFile: path, encoding: .utf8) {
            let text = known.trimmingCharacters(in: .whitespacesAndNewlines)
            guard text.count == 16, text.allSatisfy(\.isHexDigit) else {
                throw CommandFailure("\(path) is damaged; it should hold 16 hexadecimal digits", exit: .failure)
            }
            return text
        }
        let text = try hex(Posix.randomBytes(8))
        try writeFile(path, text + "\n", mode: 0o644, owner: nil)
        return text
    }

    private func makeToken() throws {
        let path = site.state + "/admin-token"
        var token = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        token = token.trimmingCharacters(in: .whitespacesAndNewlines)
        if token.isEmpty {
            token = try "bh_" + Self.hex(Posix.randomBytes(32))
            try Self.writeFile(path, token + "\n", mode: 0o600, owner: nil)
        }
        // schedulerd compares hashes: its directory holds nothing that opens a door.
        let hash = Self.hex(Array(SHA256.hash(data: Data(token.utf8))))
        try Self.writeFile(site.adminTokenHash, hash + "\n", mode: 0o400, owner: owner(.schedulerd))
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func writeFile(_ path: String, _ text: String, mode: UInt32, owner: (UInt32, UInt32)?) throws {
        try Posix.replaceFile(path, with: Array(text.utf8), mode: mode)
        if let owner { try Posix.chown(path, uid: owner.0, gid: owner.1) }
    }

    private static func engineSocket(_ option: String?) throws -> String {
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

    // MARK: Sockets

    private func makeSockets(_ listen: String) throws {
        for edge in Edge.allCases {
            let path = site.socket(of: edge)
            try? FileManager.default.removeItem(atPath: path)
            let socket = try Posix.listenUnix(path, mode: 0o660)
            if site.separateUsers, let group = site.identities.groups[edge] {
                try Posix.chown(path, uid: site.uid(of: edge.server), gid: group)
            }
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
