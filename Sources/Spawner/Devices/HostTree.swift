// The host's /proc, /sys and /dev, or a tree that looks so. What is read there is checked and bounded: nothing outside
// of the tree is opened, no file is longer than a page, no directory than a few thousand names.

import CHostTree
import Posix

/// Why something of a tree could not be used.
package enum TreeError: Error, Equatable, Sendable {
    case missing
    /// A link leads out of the tree, or in circles.
    case outside
    case tooLarge
    /// It is not what the kernel's documents say of it.
    case malformed(String)
    case system(errno: Int32)
}

package struct HostTree: ~Copyable {
    package static let fileLimit = 4096
    private static let namesLimit = 64 * 1024
    private let root: FileDescriptor

    /// `path`: `/`, or where the host's files are seen.
    package init(_ path: String) throws(TreeError) {
        root = FileDescriptor(owning: try Self.check(unsafe bh_tree_root(path)))
    }

    /// A regular file, opened for `contents`.
    func file(_ path: String) throws(TreeError) -> FileDescriptor {
        FileDescriptor(owning: try Self.check(unsafe bh_tree_open(root.raw, path)))
    }

    /// A file's text without the white space around it.
    func text(_ path: String) throws(TreeError) -> String {
        let file = try file(path)
        return try Self.contents(file.raw)
    }

    /// nil: there is no such file.
    func optionalText(_ path: String) throws(TreeError) -> String? {
        do { return try text(path) } catch {
            if error == .missing { return nil }
            throw error
        }
    }

    /// The names in a directory, sorted; empty if there is none.
    func names(_ path: String) throws(TreeError) -> [String] {
        var room = [CChar](repeating: 0, count: Self.namesLimit)
        do {
            let count = Int(try Self.check(unsafe bh_tree_names(root.raw, path, &room, room.count)))
            let bytes = room.prefix(count).map { UInt8(bitPattern: $0) }
            return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.sorted()
        } catch {
            if error == .missing { return [] }
            throw error
        }
    }

    /// A character device's numbers and owner.
    func node(_ path: String) throws(TreeError) -> bh_node {
        var node = bh_node()
        _ = try Self.check(unsafe bh_tree_node(root.raw, path, &node))
        return node
    }

    /// What a file says now, from its beginning.
    static func contents(_ raw: Int32) throws(TreeError) -> String {
        var room = [UInt8](repeating: 0, count: fileLimit + 1)
        let count = Int(try check(unsafe bh_tree_read(raw, &room, room.count)))
        if count > fileLimit { throw .tooLarge }
        let bytes = room.prefix(count)
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 || $0 == 0x0A }) else {
            throw .malformed("not a text")
        }
        return String(decoding: bytes, as: UTF8.self).trimmed
    }

    private static func check(_ result: Int32) throws(TreeError) -> Int32 {
        if result >= 0 { return result }
        let error = PosixError.system(call: "", errno: -result)
        if error.isMissing { throw .missing }
        if error.isOutside { throw .outside }
        if error.isFileTooLarge { throw .tooLarge }
        if error.isUnsupported { throw .malformed("not the kind of file that it should be") }
        throw .system(errno: -result)
    }
}

extension String {
    var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }

    /// `Name: value` in lines; a name that comes twice is no name.
    func fields(_ separator: Character) throws(TreeError) -> [String: String] {
        var fields: [String: String] = [:]
        for line in split(separator: "\n") {
            guard let end = line.firstIndex(of: separator) else { continue }
            let value = String(line[line.index(after: end)...]).trimmed
            if fields.updateValue(value, forKey: String(line[..<end]).trimmed) != nil {
                throw .malformed("\(line[..<end].prefix(32)) comes twice")
            }
        }
        return fields
    }

    /// Digits and nothing else.
    func number(_ radix: Int = 10) throws(TreeError) -> UInt64 {
        let isDigit: (UInt8) -> Bool = { byte in
            (0x30...0x39).contains(byte) || radix == 16 && (0x61...0x66).contains(byte | 0x20)
        }
        guard (1...20).contains(utf8.count), utf8.allSatisfy(isDigit), let number = UInt64(self, radix: radix) else {
            throw .malformed("not a number")
        }
        return number
    }
}
