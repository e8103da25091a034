// One path or pattern of an artifact rule. A walk takes it along from directory to directory, name by name, so that it
// is known before a directory is opened whether anything below it can fit.

/// `*` and `?` stand for any bytes and for one character of a name, `**` for any number of names. Names are bytes.
package struct ArtifactPattern {
    private enum Part: Equatable {
        case name([UInt8])
        case anything
    }

    private let parts: [Part]

    /// nil: an absolute path, or one with `..`; it fits nothing.
    package init?(_ text: String) {
        var parts: [Part] = []
        let bytes = Array(text.utf8)
        guard bytes.first != UInt8(ascii: "/") else { return nil }
        for name in bytes.split(separator: UInt8(ascii: "/")) where !name.elementsEqual(".".utf8) {
            if name.elementsEqual("..".utf8) { return nil }
            let part = name.elementsEqual("**".utf8) ? Part.anything : .name(Array(name))
            if part != .anything || parts.last != .anything { parts.append(part) }
        }
        self.parts = parts
    }

    /// Where in the pattern one may stand at the source directory.
    package var beginning: [Int] { arriving(at: 0) }

    /// Where one may stand below, by the name of what is there; empty: it fits nothing from there on.
    package func places(after places: [Int], _ name: [UInt8]) -> [Int] {
        var next: [Int] = []
        for place in places where place < parts.count {
            let found: [Int] =
                switch parts[place] {
                case .anything: arriving(at: place)
                case .name(let pattern): Self.fits(pattern[...], name[...]) ? arriving(at: place + 1) : []
                }
            for place in found where !next.contains(place) { next.append(place) }
        }
        return next
    }

    /// Whether all of the pattern is behind one of these places.
    package func isWhole(_ places: [Int]) -> Bool { places.contains(parts.count) }

    /// `**` may stand for no name at all.
    private func arriving(at place: Int) -> [Int] {
        place < parts.count && parts[place] == .anything ? [place, place + 1] : [place]
    }

    /// Goes back to the last `*` alone: what an earlier one could take besides, the last can take, too.
    private static func fits(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var (pattern, name) = (pattern, name)
        var retry: (pattern: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while let byte = name.first {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                retry = (pattern, name)
            } else if pattern.first == UInt8(ascii: "?") {
                pattern = pattern.dropFirst()
                // The bytes of one character in UTF-8.
                name = name.dropFirst().drop { $0 & 0xC0 == 0x80 }
            } else if pattern.first == byte {
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            } else if let last = retry {
                retry = (last.pattern, last.name.dropFirst())
                (pattern, name) = (last.pattern, last.name.dropFirst())
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
