// What an opened grant says (GrantBody in proto-spec/types.wire), read where it lies: the generated decoder would copy
// each value into memory that nobody wipes. GrantTests compare this reader with the generated encoder.

package import Wire

/// The values stay in the one buffer that was decrypted; here are their places.
package struct GrantContents {
    /// Why these bytes are no GrantBody.
    package struct Malformed: Error, Equatable {
        package let place: String
    }

    package let attempt: Attempt
    package let definition: Bytes32
    private let plain: WipedBytes
    private let places: [String: Range<Int>]
    private let seal: Range<Int>

    package init(_ plain: WipedBytes) throws(Malformed) {
        var reader = Reader(plain: plain)
        attempt = Attempt(
            job: try reader.integer(8, "attempt"), attempt: UInt32(try reader.integer(4, "attempt")),
            epoch: try reader.integer(8, "attempt"))
        let hash = try reader.take(32, "definition")
        definition = Bytes32(bytes: reader.copy(hash)) ?? Bytes32(0, 0, 0, 0)
        let token = try reader.block(1...160, "token")
        let seal = try reader.take(32, "seal")
        var places: [String: Range<Int>] = [:]
        let count = try reader.integer(2, "secrets")
        guard count <= 32 else { throw Malformed(place: "secrets") }
        for _ in 0..<count {
            let name = String(decoding: reader.copy(try reader.block(1...64, "name")), as: UTF8.self)
            guard places.updateValue(try reader.block(1...8192, "value"), forKey: name) == nil else {
                throw Malformed(place: "two of one name")
            }
        }
        guard reader.isAtEnd else { throw Malformed(place: "end") }
        // After the others: a secret of this name cannot take the token's place.
        places[GrantFormat.jobToken] = token
        self.plain = plain
        self.places = places
        self.seal = seal
    }

    /// Of the job's files; it outlives the values.
    package func sealKey() -> SealKey? {
        guard let bytes = WipedBytes(count: seal.count) else { return nil }
        plain.withBytes { from in bytes.withMutableBytes { $0.copyMemory(from: .init(rebasing: from[seal])) } }
        return SealKey(bytes)
    }

    package func holds(_ name: String) -> Bool { places[name] != nil }

    /// Lends the value; false if there is none of this name.
    package func withValue(_ name: String, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let place = places[name] else { return false }
        plain.withBytes { body(UnsafeRawBufferPointer(rebasing: $0[place])) }
        return true
    }
}

extension GrantContents {
    /// A cursor over the wiped buffer. Big-endian, lengths before texts and bytes.
    private struct Reader {
        let plain: WipedBytes
        var position = 0

        var isAtEnd: Bool { position == plain.count }

        mutating func take(_ count: Int, _ place: String) throws(Malformed) -> Range<Int> {
            guard count <= plain.count - position else { throw Malformed(place: place) }
            defer { position += count }
            return position..<position + count
        }

        mutating func integer(_ size: Int, _ place: String) throws(Malformed) -> UInt64 {
            let range = try take(size, place)
            return plain.withBytes { bytes in bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        }

        mutating func block(_ bounds: ClosedRange<Int>, _ place: String) throws(Malformed) -> Range<Int> {
            let count = Int(try integer(2, place))
            guard bounds.contains(count) else { throw Malformed(place: place) }
            return try take(count, place)
        }

        /// For what is no secret.
        func copy(_ range: Range<Int>) -> [UInt8] { plain.withBytes { Array($0[range]) } }
    }
}
