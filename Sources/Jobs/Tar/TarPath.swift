// A member's path inside a source archive, after the checks that need no file system. TarReader makes them, TarSinks
// use them.

/// A relative path of plain names: no leading slash, no `..`, no `.`; empty for the directory itself.
/// Names are bytes, as the kernel sees them; nothing says that they are UTF-8.
package struct TarPath: Equatable {
    /// The longest path, as in PATH_MAX, and the longest name, as in NAME_MAX.
    package static let longestPath = 4095
    package static let longestName = 255
    /// Deeper trees are refused: each level costs an open directory on the way down.
    package static let deepest = 200

    package let components: [[UInt8]]

    /// - Throws: `.pathLeaves` for an absolute path or one with `..`; `.badPath` for a NUL or anything too long.
    package init(_ bytes: [UInt8]) throws(TarProblem) {
        guard bytes.count <= TarPath.longestPath, !bytes.contains(0) else { throw .badPath }
        guard bytes.first != UInt8(ascii: "/") else { throw .pathLeaves }
        var components: [[UInt8]] = []
        for part in bytes.split(separator: UInt8(ascii: "/")) where part != [UInt8(ascii: ".")] {
            guard part != [UInt8(ascii: "."), UInt8(ascii: ".")] else { throw .pathLeaves }
            guard part.count <= TarPath.longestName else { throw .badPath }
            components.append(Array(part))
        }
        guard components.count <= TarPath.deepest else { throw .badPath }
        self.components = components
    }

    private init(components: [[UInt8]]) { self.components = components }

    /// The same path seen from the directory of its first name; empty for that name alone, and for the empty path.
    package var belowTop: TarPath { TarPath(components: Array(components.dropFirst())) }

    /// As it stands in an archive.
    package var bytes: [UInt8] { Array(components.joined(separator: [UInt8(ascii: "/")])) }

    /// Whether a symbolic link at this path may have this target: it then leads nowhere but into the directory,
    /// whatever other links of the archive lie on the way. `..` is allowed at the target's beginning only: behind a
    /// name it would be taken from wherever that name leads (`a/b/up -> ../..` is inside, `a/b/up/..` is not).
    package func admitsTarget(_ target: [UInt8]) -> Bool {
        guard !target.isEmpty, target.count <= TarPath.longestPath, !target.contains(0) else { return false }
        guard target.first != UInt8(ascii: "/") else { return false }
        var height = components.count - 1
        var named = false
        for part in target.split(separator: UInt8(ascii: "/")) where part != [UInt8(ascii: ".")] {
            if part == [UInt8(ascii: "."), UInt8(ascii: ".")] {
                guard !named, height > 0 else { return false }
                height -= 1
            } else {
                named = true
            }
        }
        return true
    }
}
