// Headers: of a delivery. No forge signs them; what they say is which of its own documents the body is.

/// The header fields as they came, repeated ones too.
package struct Headers: Sendable {
    private let fields: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)]) {
        self.fields = fields
    }

    /// All values of a field; names are ASCII, in letters of any case.
    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.utf8.elementsEqual(name.utf8) { Self.folded($0) == Self.folded($1) } }.map(\.value)
    }

    /// Nil if there is none. Throws if there are two: others would take the other one.
    package func one(_ name: String) throws(Refusal) -> String? {
        let values = all(name)
        if values.count > 1 { throw .header(name) }
        return values.first
    }

    /// The name of an event: `[A-Za-z0-9_ -]{1,64}`.
    package func event(_ name: String) throws(Refusal) -> String {
        guard let event = try one(name), (1...64).contains(event.utf8.count), event.utf8.allSatisfy(Self.isOfName)
        else { throw .header(name) }
        return event
    }

    /// Throws unless the body is JSON as it stands. A form would be signed in another way by each forge, and what is
    /// compressed has no size before it is read.
    package func checkJSON() throws(Refusal) {
        guard let type = try one("content-type"), try one("content-encoding") == nil else { throw .encoding }
        let words = type.utf8.filter { $0 != 0x20 }.map(Self.folded)
        guard ["application/json", "application/json;charset=utf-8"].contains(where: { words.elementsEqual($0.utf8) })
        else { throw .encoding }
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(folded(byte)) || (0x30...0x39).contains(byte) || [0x20, 0x2D, 0x5F].contains(byte)
    }
}
