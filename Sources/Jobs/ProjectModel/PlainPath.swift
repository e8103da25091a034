// Addresses and paths that a project names. They are used on requests to the forge, so only plain ones are taken.

/// `[A-Za-z0-9._-]` between slashes.
enum PlainPath {
    static func isPart(_ part: some StringProtocol) -> Bool {
        part != "." && part != ".." && !part.isEmpty && part.utf8.allSatisfy { isPlain($0) }
    }

    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "._-".utf8.contains(byte)
        }
    }
}

/// `https://host[:port][/path]`, or http on this machine.
enum ForgeAddress {
    /// The address without a slash at its end; nil if it is none. No name, password, query or fragment can hide in it.
    static func read(_ text: String) -> String? {
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        guard let scheme, text.utf8.allSatisfy({ PlainPath.isPlain($0) || $0 == 0x2F || $0 == 0x3A }) else {
            return nil
        }
        var parts = text.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        guard let authority = parts.first, parts.dropFirst().allSatisfy({ PlainPath.isPart($0) }) else { return nil }
        let pieces = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let host = pieces.first, PlainPath.isPart(host), host.first != "-" else { return nil }
        if pieces.count == 2 {
            guard let port = UInt16(pieces[1]), port > 0, String(port) == pieces[1] else { return nil }
        }
        if scheme == "http://" && host != "localhost" && host != "127.0.0.1" { return nil }
        return scheme + parts.joined(separator: "/")
    }
}
