// ExchangeAnswer: what a server said. All of it is hostile; its size is bounded, and that is all that is known of it.

package struct ExchangeAnswer: Equatable, Sendable {
    package let status: Int
    /// As they came, in the order in which they came, without those of interim answers.
    package let headers: [HeaderField]
    /// Empty where a sink took it.
    package let body: [UInt8]

    package init(status: Int, headers: [HeaderField] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of a header that is there once. Twice is as good as not at all: others would read the other one.
    package func header(_ name: String) -> String? {
        let found = headers.filter { $0.name.utf8.elementsEqual(name.utf8) { Self.folded($0) == Self.folded($1) } }
        return found.count == 1 ? found[0].value : nil
    }

    /// The same as a whole number without a sign, of at most twelve digits.
    package func number(_ name: String) -> UInt64? {
        guard let text = header(name), (1...12).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return UInt64(text)
    }

    /// Whether a list has another page. The link itself is the server's, and nobody follows it.
    package var hasNextPage: Bool {
        guard let link = header("link") else { return false }
        return link.split(separator: ",").contains { part in
            part.split(separator: ";").dropFirst().contains { $0.filter { $0 != " " && $0 != "\"" } == "rel=next" }
        }
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
