// Each rule of the protocol, broken once on every edge, over a real socket: the error that the spec names, the server
// alive, nothing left open. Beside each broken frame stands its control, the same frame unbroken.

import Link
import Posix
import Testing
import Wire

/// One way to break the rules after a good hello.
struct Offence: Sendable, CustomTestStringConvertible {
    let name: String
    let code: ErrorCode
    /// nil: this edge's probe has nothing to break here.
    let breaking: @Sendable (RawFrame) throws -> RawFrame?
    /// Frames that go before it.
    var before = 0

    var testDescription: String { name }

    init(
        _ name: String, _ code: ErrorCode, before: Int = 0,
        _ breaking: @escaping @Sendable (RawFrame) throws -> RawFrame?
    ) {
        self.name = name
        self.code = code
        self.before = before
        self.breaking = breaking
    }

    /// Changes a copy of the good frame.
    init(_ name: String, _ code: ErrorCode, change: @escaping @Sendable (inout RawFrame) -> Void) {
        self.init(name, code) { good in
            var frame = good
            change(&frame)
            return frame
        }
    }
}

let offences: [Offence] = [
    Offence("length 0", .malformed, change: { $0.length = 0 }),
    Offence("length 15", .malformed, change: { $0.length = 15 }),
    Offence("length 2^31", .frameTooLarge, change: { $0.length = 1 << 31 }),
    Offence("length 2^32-1", .frameTooLarge, change: { $0.length = .max }),
    Offence("length limit + 1", .frameTooLarge, change: { $0.length = 65_537 }),
    Offence("kind 0", .malformed, change: { $0.kind = 0 }),
    Offence("kind 7", .malformed, change: { $0.kind = 7 }),
    Offence("kind 255", .malformed, change: { $0.kind = 255 }),
    Offence("unknown type", .unpermitted, change: { $0.type = 999 }),
    Offence("type 0", .unpermitted, change: { $0.type = 0 }),
    Offence("reply from the asking side", .unpermitted, change: { $0.kind = FrameKind.reply.rawValue }),
    Offence("error from the asking side", .unpermitted, change: { $0.kind = FrameKind.error.rawValue }),
    Offence("item from the asking side", .unpermitted, change: { $0.kind = FrameKind.item.rawValue }),
    Offence("end from the asking side", .unpermitted, change: { $0.kind = FrameKind.end.rawValue }),
    Offence("request id 0", .malformed, change: { $0.id = 0 }),
    Offence("one descriptor less than it says", .wrongFds) { good in
        var frame = good
        frame.fdCount = UInt8(good.fds.count + 1)
        return frame
    },
    Offence("one descriptor more than the message has", .wrongFds) { good in
        var frame = good
        frame.gift = try Gift.wrong(good.fds.count + 1)
        return frame
    },
    Offence("one descriptor more than it says", .wrongFds) { good in
        var frame = good
        frame.fdCount = UInt8(good.fds.count)
        frame.gift = try Gift.wrong(good.fds.count + 1)
        return frame
    },
    Offence("sixteen descriptors", .wrongFds) { good in
        var frame = good
        frame.gift = try Gift.wrong(16)
        return frame
    },
    Offence("a descriptor of the wrong kind", .wrongFds) { good in
        if good.fds.isEmpty { return nil }
        var frame = good
        frame.gift = try Gift.wrong(good.fds.count)
        return frame
    },
    Offence("body cut short", .malformed, change: { $0.body.removeLast() }),
    Offence("trailing byte", .malformed, change: { $0.body.append(0) }),
    Offence("a request id again", .unpermitted, before: 1) { good in
        var frame = good
        frame.id = 1
        return frame
    },
    Offence("unknown control message", .unpermitted) { _ in RawFrame(77, .control, id: 0) },
    Offence("control with a request id", .malformed) { _ in
        RawFrame(Goodbye.type, .control, id: 5, body: try Goodbye(code: 1, text: "").encoded())
    },
    Offence("control that does not decode", .malformed) { _ in RawFrame(Goodbye.type, .control, id: 0, body: [1]) },
]

/// Text of another protocol is a length above any limit.
private let garbage = Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)

extension LinkTests {
    @Suite struct Conformance {
        @Test(arguments: allProbes, offences)
        func violationIsNamed(_ edge: any ProbeEdge.Type, _ offence: Offence) throws {
            try violation(edge, offence)
        }

        private func violation<Edge: ProbeEdge>(_ edge: Edge.Type, _ offence: Offence) throws {
            let rig = try Rig<Edge>()
            let open = try openDescriptors()
            // In another scope, so that everything of the peer is closed when it is counted.
            func offend() throws {
                // Only frames of the runner's first phase may be repeated there as long as none is answered.
                rig.seen.isHolding = offence.before > 0
                let peer = try rig.connect()
                peer.send(try .hello(edge))
                for id in 0..<offence.before { peer.send(try edge.probeFrame(id: UInt64(id + 1))) }
                let good = try edge.probeFrame(id: UInt64(offence.before + 1))
                guard let bad = try offence.breaking(good) else { return }
                peer.send(bad)
                try rig.waitForEnd(peer, offence.name)
                #expect(peer.goodbye == offence.code)
                #expect(peer.answers(.reply).isEmpty)
                #expect(rig.seen.probes == offence.before)
                rig.seen.isHolding = false
                rig.seen.release()
                // The control: the same client without the offence.
                let honest = try rig.connect()
                honest.send(try .hello(edge))
                honest.send(good)
                try rig.wait("the control's answer") {
                    try honest.read()
                    return honest.isEnded || !honest.answers(.reply).isEmpty
                }
                #expect(honest.answers(.reply).count == 1)
            }
            try offend()
            try rig.wait("the server to forget them") { rig.server.connectionCount == 0 }
            #expect(try openDescriptors() == open)
        }

        @Test(arguments: allProbes) func garbageIsRefused(_ edge: any ProbeEdge.Type) throws {
            try expectRefusal(edge, .frameTooLarge) { $0.send(garbage) }
        }

        @Test(arguments: allProbes) func requestBeforeHello(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                try expectRefusal(edge, .unpermitted) { $0.send(try edge.probeFrame(id: 1)) }
            }
            try check(edge)
        }

        @Test(arguments: allProbes) func secondHello(_ edge: any ProbeEdge.Type) throws {
            try expectRefusal(edge, .unpermitted) {
                $0.send(try .hello(edge))
                $0.send(try .hello(edge))
            }
        }

        @Test(arguments: allProbes) func badHellos(_ edge: any ProbeEdge.Type) throws {
            try expectHello(edge, .badMagic) { $0.magic = Bytes16(high: $0.magic.high, low: $0.magic.low + 1) }
            try expectHello(edge, .versionRefused) { $0.major += 1 }
            try expectHello(edge, .versionRefused) { $0.major = 0 }
            try expectHello(edge, .versionRefused) {
                $0.minorLowest = edge.minor + 1
                $0.minorHighest = edge.minor + 3
            }
            try expectHello(edge, .versionRefused) {
                $0.minorLowest = 1
                $0.minorHighest = 0
            }
            try expectHello(edge, .roleRefused) { $0.role = .operator }
            try expectHello(edge, .roleRefused) { $0.role = edge.server }
            try expectHello(edge, .malformed) { $0.frameLimit = 100 }
            try expectHello(edge, .malformed) { $0.window = 0 }
        }

        @Test(arguments: allProbes) func minorIsNegotiated(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                let rig = try Rig<Edge>()
                let peer = try rig.connect()
                var hello = RawFrame.goodHello(edge)
                hello.minorHighest = edge.minor + 7
                peer.send(try .hello(hello))
                peer.send(try edge.probeFrame(id: 1))
                try rig.wait("an answer") {
                    try peer.read()
                    return !peer.answers(.reply).isEmpty
                }
                #expect(peer.goodbye == nil)
            }
            try check(edge)
        }

        @Test(arguments: allProbes) func otherUsersAreRefused(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                let rig = try Rig<Edge>(uid: Posix.userID + 1)
                let peer = try rig.connect()
                peer.send(try .hello(edge))
                try rig.waitForEnd(peer)
                #expect(peer.goodbye == .peerRefused)
                // Not even a hello: the stranger learns nothing.
                #expect(peer.frames.count == 1)
                #expect(rig.seen.connects == 0)
                // The control: the same socket with the right user.
                try Rig<Edge>().serveGoodClient("the control")
            }
            try check(edge)
        }

        @Test(arguments: allProbes) func silenceIsNotAHello(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                let rig = try Rig<Edge>(settings: LinkSettings(helloDeadline: .milliseconds(30)))
                let silent = try rig.connect()
                let slow = try rig.connect()
                slow.send(Array(try RawFrame.hello(edge).bytes.dropLast()))
                try rig.waitForEnd(silent, "the silent")
                try rig.waitForEnd(slow, "the slow")
                #expect(silent.goodbye == .deadlineExceeded)
                #expect(slow.goodbye == .deadlineExceeded)
                try rig.serveGoodClient()
            }
            try check(edge)
        }

        @Test(arguments: allProbes) func windowIsKept(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                let rig = try Rig<Edge>(settings: LinkSettings(window: 5))
                rig.seen.isHolding = true
                let modest = try rig.connect()
                let greedy = try rig.connect()
                for peer in [modest, greedy] { peer.send(try .hello(edge)) }
                for id in 1...5 { modest.send(try edge.probeFrame(id: UInt64(id))) }
                for id in 1...6 { greedy.send(try edge.probeFrame(id: UInt64(id))) }
                try rig.waitForEnd(greedy)
                #expect(greedy.goodbye == .windowExceeded)
                try rig.wait("five requests") { rig.seen.probes == 10 }
                rig.seen.release()
                try rig.wait("five answers") {
                    try modest.read()
                    return modest.answers(.reply).count == 5
                }
                #expect(modest.goodbye == nil)
            }
            try check(edge)
        }

        private func expectHello<Edge: ProbeEdge>(
            _ edge: Edge.Type, _ code: ErrorCode, _ change: (inout Hello) -> Void
        ) throws {
            var hello = RawFrame.goodHello(edge)
            change(&hello)
            let frame = try RawFrame.hello(hello)
            try expectRefusal(edge, code) { $0.send(frame) }
        }

        private func expectRefusal<Edge: ProbeEdge>(
            _ edge: Edge.Type, _ code: ErrorCode, _ body: (RawPeer) throws -> Void
        ) throws {
            let rig = try Rig<Edge>()
            let peer = try rig.connect()
            try body(peer)
            try rig.waitForEnd(peer)
            #expect(peer.goodbye == code)
            #expect(rig.seen.probes == 0)
            try rig.serveGoodClient("\(code)")
        }
    }
}
