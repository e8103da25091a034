// A frame as a hostile peer makes it: every field may lie.

import Link
import Wire

struct RawFrame {
    var type: UInt16
    var kind: UInt8
    /// nil: what `fds` holds.
    var fdCount: UInt8?
    var id: UInt64
    var deadline: UInt32 = 0
    var body: [UInt8]
    /// nil: the truth.
    var length: UInt32?
    /// What rides on it; kept open by the frame.
    var gift: Gift?

    var fds: [Int32] { gift?.raws ?? [] }

    init(_ type: UInt16, _ kind: FrameKind, id: UInt64, body: [UInt8] = [], gift: Gift? = nil) {
        self.type = type
        self.kind = kind.rawValue
        self.id = id
        self.body = body
        self.gift = gift
    }

    var bytes: [UInt8] {
        var writer = WireWriter()
        writer.u32(length ?? UInt32(16 + body.count))
        writer.u16(type)
        writer.u8(kind)
        writer.u8(fdCount ?? UInt8(fds.count))
        writer.u64(id)
        writer.u32(deadline)
        return writer.bytes + body
    }

    /// A hello that the other side takes.
    static func hello<Edge: WireEdge>(_ edge: Edge.Type, from side: Side = .client) throws -> RawFrame {
        try hello(goodHello(edge, from: side))
    }

    static func hello(_ hello: Hello) throws -> RawFrame {
        RawFrame(Hello.type, .control, id: 0, body: try hello.encoded())
    }

    static func goodHello<Edge: WireEdge>(_ edge: Edge.Type, from side: Side = .client) -> Hello {
        Hello(
            magic: Session.magic, major: edge.major, minorLowest: 0, minorHighest: edge.minor,
            role: side == .client ? edge.client : edge.server, frameLimit: UInt32(edge.frameLimit), window: 64)
    }
}
