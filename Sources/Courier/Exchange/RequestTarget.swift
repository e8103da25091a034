// RequestTarget: path and query of a request, made of texts of which strangers wrote some: branches, paths, names. Each
// is one piece and stays one, whatever is in it.

package struct RequestTarget: Equatable, Sendable {
    /// A piece that cannot be one: empty, `.` or `..`, which servers take for something else however they are written,
    /// or with a control character.
    package struct BadPiece: Error, Equatable, Sendable {}

    /// As it goes into the request line.
    package private(set) var text: String
    private var hasQuery = false

    /// `fixed` is a path of ours, with a slash in front and none behind; empty for the root.
    package init(_ fixed: String) { text = fixed }

    /// Adds fixed words of ours, as they stand: `/pulls`.
    package func and(_ fixed: String) -> RequestTarget {
        var longer = self
        longer.text += fixed
        return longer
    }

    package func and(_ number: UInt64) -> RequestTarget { and("/\(number)") }

    /// Adds one segment; a slash in it is escaped, so it stays one.
    package func segment(_ piece: String) throws(BadPiece) -> RequestTarget {
        let bytes = piece.utf8
        guard !bytes.isEmpty, !bytes.elementsEqual(".".utf8), !bytes.elementsEqual("..".utf8),
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw BadPiece() }
        return and("/" + Self.escaped(piece))
    }

    /// Adds a path, segment by segment.
    package func path(_ path: String) throws(BadPiece) -> RequestTarget {
        var longer = self
        for piece in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            longer = try longer.segment(String(Substring(piece)))
        }
        return longer
    }

    package func query(_ name: String, _ value: String) -> RequestTarget {
        var longer = and((hasQuery ? "&" : "?") + Self.escaped(name) + "=" + Self.escaped(value))
        longer.hasQuery = true
        return longer
    }

    /// Everything but the unreserved characters of RFC 3986.
    package static func escaped(_ piece: String) -> String {
        var bytes: [UInt8] = []
        for byte in piece.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
