// Origin: where a request may go. Scheme, host and port, and nothing that could be taken for something else.

/// A server as a URL names it.
package struct Origin: Hashable, Sendable {
    package enum Scheme: String, Sendable {
        case https
        /// For a forge on this machine's loopback; Outbound lets it go nowhere else.
        case http

        var port: UInt16 { self == .https ? 443 : 80 }
    }

    package let scheme: Scheme
    /// A name or an IPv4 address in lower case, or an IPv6 address in brackets.
    package let host: String
    package let port: UInt16

    /// Nil unless it is a host: `[A-Za-z0-9.-]`, or an address in brackets.
    package init?(_ scheme: Scheme, host: String, port: UInt16? = nil) {
        let host = String(decoding: host.utf8.map(Self.lowered), as: UTF8.self)
        guard Self.isHost(host), port != 0 else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.port
    }

    /// `https://host` or `https://host:port`, and nothing behind it.
    package init?(_ text: String) {
        guard let (origin, rest) = Self.split(text), rest.isEmpty else { return nil }
        self = origin
    }

    /// As a URL begins.
    package var text: String { "\(scheme)://\(host)" + (port == scheme.port ? "" : ":\(port)") }

    /// The origin of an absolute URL, and what follows it. Nil for a user in it: whoever reads `https://a@b` in a
    /// hurry takes `a` for the host.
    package static func split(_ url: String) -> (Origin, rest: Substring.UTF8View)? {
        let bytes = url.utf8
        guard bytes.count <= 8192,
            let scheme = [Scheme.https, .http].first(where: { bytes.starts(with: "\($0)://".utf8) })
        else { return nil }
        let authority = bytes.dropFirst("\(scheme)://".utf8.count)
        let end = authority.firstIndex { [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0) }
        var name = authority[..<(end ?? authority.endIndex)]
        var port: UInt16?
        if let colon = name.lastIndex(of: UInt8(ascii: ":")), name.last != UInt8(ascii: "]") {
            let digits = name[name.index(after: colon)...]
            guard (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = UInt16(Substring(digits))
            else { return nil }
            (name, port) = (name[..<colon], number)
        }
        guard let host = String(name), let origin = Origin(scheme, host: host, port: port) else { return nil }
        return (origin, authority[(end ?? authority.endIndex)...])
    }

    private static func isHost(_ host: String) -> Bool {
        let bytes = host.utf8
        guard (1...253).contains(bytes.count) else { return false }
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            return bytes.dropFirst().dropLast().allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == 0x3A || $0 == 0x2E
            }
        }
        return bytes.first != UInt8(ascii: "-") && bytes.first != UInt8(ascii: ".")
            && bytes.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x2E
            }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
