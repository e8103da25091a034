// AddressPolicy: to which addresses a connection may go. It is asked with the address that the kernel is about to be
// given, so that a name which meant something else a moment ago (DNS rebinding) gains nothing.

/// The bytes of an IP address: four or sixteen.
package struct IPAddress: Equatable, Sendable {
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }
}

/// Addresses that share their first bits.
package struct AddressRange: Equatable, Sendable {
    private let start: [UInt8]
    private let bits: Int

    /// `10.0.0.0/8`, `fd00::/8`; a single address without the slash. Nil for what is none.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let start = AddressText.bytes(parts[0]) else { return nil }
        var bits = start.count * 8
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(parts[1]), number <= bits
            else { return nil }
            bits = number
        }
        (self.start, self.bits) = (start, bits)
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == start.count else { return false }
        for index in 0..<start.count where index * 8 < bits {
            let mask: UInt8 = bits - index * 8 >= 8 ? 0xFF : 0xFF << UInt8(8 - (bits - index * 8))
            if (address.bytes[index] ^ start[index]) & mask != 0 { return false }
        }
        return true
    }
}

package struct AddressPolicy: Equatable, Sendable {
    /// What is allowed beside the public internet: a site's own forge.
    package let named: [AddressRange]

    package init(named: [AddressRange] = []) { self.named = named }

    /// - Parameter isPlain: without TLS; that goes to this machine only, and only if it is named.
    package func admits(_ address: IPAddress, isPlain: Bool) -> Bool {
        let plain = Self.embedded(address) ?? address
        let isNamed = named.contains { $0.contains(address) || $0.contains(plain) }
        if isPlain { return isNamed && Self.loopback.contains { $0.contains(plain) } }
        return isNamed || Self.isPublic(plain)
    }

    private static func isPublic(_ address: IPAddress) -> Bool {
        if address.bytes.count == 4 { return !reserved4.contains { $0.contains(address) } }
        return global6.contains(address) && !reserved6.contains { $0.contains(address) }
    }

    /// The IPv4 address inside an IPv6 one: mapped, or of a translator (NAT64).
    private static func embedded(_ address: IPAddress) -> IPAddress? {
        guard mapped.contains(address) || translated.contains(address) else { return nil }
        return IPAddress(bytes: Array(address.bytes.suffix(4)))
    }

    private static let loopback = ranges(["127.0.0.0/8", "::1"])
    private static let mapped = ranges(["::ffff:0:0/96"])[0]
    private static let translated = ranges(["64:ff9b::/96"])[0]

    /// IANA's special-purpose registry, multicast, and the one public address behind which a cloud (Azure) keeps its
    /// machines' secrets. The others' metadata is link-local, in 192.0.0.0/24 or in 100.64.0.0/10.
    private static let reserved4 = ranges([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16",
    ])
    /// All that is handed out; whatever is outside of it is local, or nobody's.
    private static let global6 = ranges(["2000::/3"])[0]
    /// Tunnels (Teredo, 6to4), which lead to an IPv4 address of the sender's choice, and documentation.
    private static let reserved6 = ranges(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"])

    private static func ranges(_ texts: [String]) -> [AddressRange] {
        texts.map { text in
            guard let range = AddressRange(text) else { preconditionFailure("\(text) is a range of this file") }
            return range
        }
    }
}
