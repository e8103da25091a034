// ArchiveTree: what lies where, when several archives are laid over one another. Each path has one member, the last
// that was put there, with the place of its bytes and not the bytes. As when the runner unpacks: a file or link goes in
// the place of a file or link, a directory in the place of none of them, and no way leads through a link.

import Tar

/// A file's bytes in the tar archive.
struct SourceFile {
    /// Which file of the archive it is; hard links have the same.
    let id: Int
    var place: UInt64
    let size: UInt64
    let isExecutable: Bool
    let modified: Int64
}

final class ArchiveTree {
    enum Member {
        case directory
        case file(SourceFile)
        case link([UInt8])
        case zipped(ZipEntry, layer: Int)
    }

    private struct Key: Hashable {
        let parent: Int32
        let name: [UInt8]
    }

    /// The member that holds everything.
    private static let root: Int32 = -1

    private let limits: ArchiveLimits
    private var keys: [Key] = []
    /// How long each path is.
    private var lengths: [Int32] = []
    private var places: [Key: Int32] = [:]
    /// Bytes of all paths, and of all links' targets that were ever put.
    private var names = 0
    /// A directory before what it holds.
    private(set) var members: [Member] = []

    init(_ limits: ArchiveLimits) { self.limits = limits }

    /// The file at a path.
    func file(_ path: TarPath) throws(TarProblem) -> SourceFile {
        var node = Self.root
        for name in path.components {
            guard let next = places[Key(parent: node, name: name)] else { throw .linkTargetMissing }
            node = next
        }
        guard node != Self.root, case .file(let file) = members[Int(node)] else { throw .linkToNonFile }
        return file
    }

    func put(_ path: TarPath, _ member: Member) throws(TarProblem) {
        var (node, names) = (Self.root, path.components[...])
        guard let last = names.popLast() else { return }
        for name in names { node = try directory(Key(parent: node, name: name)) }
        let key = Key(parent: node, name: last)
        if case .link(let target) = member { try count(target.count) }
        if case .directory = member {
            _ = try directory(key)
        } else if let place = places[key] {
            if case .directory = members[Int(place)] { throw .directoryInTheWay }
            members[Int(place)] = member
        } else {
            _ = try add(key, member)
        }
    }

    func path(_ node: Int) throws(TarProblem) -> TarPath {
        var (names, key) = ([keys[node].name], keys[node])
        while key.parent != Self.root {
            key = keys[Int(key.parent)]
            names.append(key.name)
        }
        return try TarPath(Array(names.reversed().joined(separator: [UInt8(ascii: "/")])))
    }

    /// The directory of this key, made if there is none.
    private func directory(_ key: Key) throws(TarProblem) -> Int32 {
        guard let place = places[key] else { return try add(key, .directory) }
        switch members[Int(place)] {
        case .directory: return place
        case .link: throw .pathThroughLink
        case .zipped(let entry, _): throw entry.kind == .link ? .pathThroughLink : .notADirectory
        case .file: throw .notADirectory
        }
    }

    private func count(_ bytes: Int) throws(TarProblem) {
        names += bytes
        guard names <= limits.names else { throw .longPaths(limit: limits.names) }
    }

    private func add(_ key: Key, _ member: Member) throws(TarProblem) -> Int32 {
        guard members.count < limits.entries else { throw .tooManyEntries(limit: limits.entries) }
        let before = key.parent == Self.root ? 0 : Int(lengths[Int(key.parent)]) + 1
        try count(before + key.name.count)
        let place = Int32(members.count)
        lengths.append(Int32(before + key.name.count))
        keys.append(key)
        members.append(member)
        places[key] = place
        return place
    }
}
