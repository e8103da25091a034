// Layers: a tar archive and zip archives laid over one another, and written as one archive. First everything is looked
// through for what lies where; then each member that is left is copied, in the order of a tree. So no path comes twice,
// whatever the archives say, and nothing is unpacked that something else lies over.

import Tar

/// An archive that comes a part at a time.
package protocol ArchiveParts: AnyObject {
    /// Members so far.
    var entries: Int { get }
    /// Works for a while, on some 256 KiB.
    /// - Returns: what became of it, which may be nothing yet; nil at the archive's end.
    func advance() throws(ArchiveProblem) -> [UInt8]?
}

package final class Layers<Output: ArchiveOutput>: ArchiveParts {
    private enum Phase { case source, zips, members, end, done }

    private let source: Int32?
    private let zips: [Int32]
    private let limits: ArchiveLimits
    private let tree: ArchiveTree
    private var output: Output
    private var phase = Phase.source
    private var scan: SourceScan?
    /// The directory of the zip archive at hand, and which one that is.
    private var directory: ZipDirectory?
    private var layer = 0
    /// The member to come, and what the one at hand holds.
    private var member = 0
    private var content: (any MemberContent)?
    /// The first names of files that have several.
    private var named: [Int: TarPath] = [:]
    private var given: UInt64 = 0
    package private(set) var entries = 0

    package init(_ source: Int32?, _ zips: [Int32], into output: Output, _ limits: ArchiveLimits) {
        (self.source, self.zips, self.limits, self.output) = (source, zips, limits, output)
        let tree = ArchiveTree(limits)
        self.tree = tree
        scan = source.map { SourceScan($0, into: tree, limits) }
    }

    package func advance() throws(ArchiveProblem) -> [UInt8]? {
        switch phase {
        case .source: if try scan?.advance() ?? true { phase = .zips }
        case .zips: if try readZips() { phase = .members }
        case .members: if try giveMembers() { phase = .end }
        case .end: if output.close() { phase = .done }
        case .done: return nil
        }
        return output.takeAll()
    }

    private func readZips() throws(ArchiveProblem) -> Bool {
        guard layer < zips.count else { return true }
        var reader = if let directory { directory } else { try ZipDirectory(zips[layer], limits) }
        let (tree, layer) = (tree, layer)
        let isAtEnd = try reader.advance { (found) throws(ArchiveProblem) in
            let member: ArchiveTree.Member =
                found.entry.kind == .directory ? .directory : .zipped(found.entry, layer: layer)
            try ArchiveProblem.entry(found.path.bytes) { () throws(TarProblem) in try tree.put(found.path, member) }
        }
        directory = isAtEnd ? nil : reader
        if isAtEnd { self.layer += 1 }
        return false
    }

    private func giveMembers() throws(ArchiveProblem) -> Bool {
        var budget = 256 << 10
        while budget > 0 {
            if let content {
                if let piece = try content.next(&budget) {
                    output.write(piece)
                } else {
                    output.endFile()
                    self.content = nil
                }
            } else if member < tree.members.count {
                try begin(member, &budget)
                member += 1
            } else {
                return true
            }
        }
        return false
    }

    private func begin(_ member: Int, _ budget: inout Int) throws(ArchiveProblem) {
        budget -= 1 << 10
        let path = try ArchiveProblem.entry([]) { () throws(TarProblem) in try tree.path(member) }
        switch tree.members[member] {
        case .directory:
            if !Output.hasTree { return }
            try output.directory(path)
        case .link(let target):
            try output.symbolicLink(path, target: target)
        case .file(let file):
            try begin(file, path)
        case .zipped(let entry, let layer):
            try begin(entry, zips[layer], path, &budget)
        }
        entries += 1
    }

    private func begin(_ file: SourceFile, _ path: TarPath) throws(ArchiveProblem) {
        guard let source else { return }
        if Output.hasHardLinks, scan?.linked.contains(file.id) == true {
            if let first = named[file.id] { return output.hardLink(path, to: first) }
            named[file.id] = path
        }
        try admit(file.size)
        try output.beginFile(
            TarFile(path: path, size: file.size, isExecutable: file.isExecutable, modified: file.modified))
        content = SourceContent(source, file)
    }

    private func begin(
        _ entry: ZipEntry, _ raw: Int32, _ path: TarPath, _ budget: inout Int
    ) throws(ArchiveProblem) {
        try admit(entry.size)
        let content = try ZipContent(raw, entry, path)
        guard entry.kind == .link else {
            self.content = content
            return try output.beginFile(
                TarFile(
                    path: path, size: entry.size, isExecutable: entry.kind == .executable, modified: entry.modified))
        }
        var target: [UInt8] = []
        while let piece = try content.next(&budget) { target += piece }
        guard path.admitsTarget(target) else { throw .archive(TarError(.linkLeaves, entry: path.bytes)) }
        try output.symbolicLink(path, target: target)
    }

    /// Files of so many bytes more. Where there are no hard links, one file can be there many times.
    private func admit(_ size: UInt64) throws(ArchiveProblem) {
        guard size <= limits.size - given else { throw .tooLarge(limit: limits.size) }
        given += size
    }
}
