// Takes apart what comes out of a container. The engine wraps it in frames of {stream u8, 0 0 0, length u32}: 1 is the
// runner's protocol, 2 what the runner says about itself. Pure: RunnerTransport feeds it.

package import Wire

/// The engine is not hostile, but what it sends decides what relayd takes for the runner's protocol: anything that is
/// not exactly its format ends the connection.
package struct Demultiplexer: ~Copyable {
    /// A range of the bytes that were given to `next`.
    package enum Piece: Equatable {
        case protocolBytes(Range<Int>)
        case diagnostics(Range<Int>)
    }

    package enum Violation: Error, Equatable {
        case header([UInt8])
    }

    private let framing: StreamEdge.Framing
    private var header: [UInt8] = []
    private var remaining = 0
    private var isDiagnostics = false

    package init(_ framing: StreamEdge.Framing) {
        self.framing = framing
    }

    /// The next piece of `bytes` between `position`, which moves behind it, and `end`; nil when they are used up.
    package mutating func next(
        in bytes: [UInt8], from position: inout Int, to end: Int
    ) throws(Violation) -> Piece? {
        if framing == .raw {
            defer { position = end }
            return position < end ? .protocolBytes(position..<end) : nil
        }
        while remaining == 0 {
            guard position < end else { return nil }
            header.append(bytes[position])
            position += 1
            if header.count == 8 { try begin() }
        }
        guard position < end else { return nil }
        let range = position..<min(end, position + remaining)
        position = range.upperBound
        remaining -= range.count
        return isDiagnostics ? .diagnostics(range) : .protocolBytes(range)
    }

    private mutating func begin() throws(Violation) {
        guard header[0] == 1 || header[0] == 2, header[1] == 0, header[2] == 0, header[3] == 0 else {
            throw .header(header)
        }
        isDiagnostics = header[0] == 2
        remaining = header[4...].reduce(0) { $0 << 8 | Int($1) }
        header.removeAll(keepingCapacity: true)
    }
}
