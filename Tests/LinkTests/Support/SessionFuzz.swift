// Feeds arbitrary bytes to a session of each edge, either side. Pure: no descriptor is touched. The tests here run it
// on mutated conversations; the fuzzer (Tests/Fuzz) compiles this file and runs it for hours.

import Link
import Posix
import Wire

/// Input: byte 0 chooses the side (bit 0) and the edge, byte 1 the size of pieces and (bit 7) whether a good hello goes
/// before; the rest is what the peer sends.
enum SessionFuzz {
    /// nil, or the promise that was broken: a session may refuse, but it must refuse alike however the bytes are cut,
    /// hold no more than the edge's limit, keep its window and be finished with every request once.
    static func run(_ input: [UInt8]) -> String? {
        guard input.count >= 2 else { return nil }
        switch (input[0] >> 1) % 9 {
        case 0: return run(SchedulerEdge.self, input)
        case 1: return run(SpawnerEdge.self, input)
        case 2: return run(StreamEdge.self, input)
        case 3: return run(RelayEdge.self, input)
        case 4: return run(BrokerEdge.self, input)
        case 5: return run(MaskEdge.self, input)
        case 6: return run(ForgeEdge.self, input)
        case 7: return run(CourierEdge.self, input)
        default: return run(RunnerEdge.self, input)
        }
    }

    private static func run<Edge: WireEdge>(_ edge: Edge.Type, _ input: [UInt8]) -> String? {
        let side: Side = input[0] & 1 == 0 ? .server : .client
        let piece = Int(input[1] & 0x7F) + 1
        var stream = input[2...]
        if input[1] & 0x80 != 0 { stream = (hello(edge, from: side.other) + stream)[...] }
        let whole = transcript(edge, side, stream, stream.count)
        let cut = transcript(edge, side, stream, piece)
        if let broken = whole.broken ?? cut.broken { return broken }
        return whole.lines == cut.lines ? nil : "cut into \(piece): \(cut.lines) instead of \(whole.lines)"
    }

    /// A hello that is taken, so that the bytes behind it are looked at.
    static func hello<Edge: WireEdge>(_ edge: Edge.Type, from side: Side) -> [UInt8] {
        let role = side == .client ? edge.client : edge.server
        var session = Session(EdgeTable(edge), side: side, role: role)
        var writer = WireWriter()
        let header = FrameHeader(type: Hello.type, kind: .control, requestID: 0, bodyLength: 0)
        try? FrameEncoder.append(session.hello, header, limit: session.sendLimit, to: &writer)
        session.feed([])
        return writer.bytes
    }

    private static func transcript<Edge: WireEdge>(
        _ edge: Edge.Type, _ side: Side, _ stream: ArraySlice<UInt8>, _ piece: Int
    ) -> (lines: [String], broken: String?) {
        let role = side == .client ? edge.client : edge.server
        let window: UInt16 = 4
        var session = Session(EdgeTable(edge), side: side, role: role, window: window, fdIs: { _, _ in true })
        var lines: [String] = []
        var owed: [UInt64] = []
        var rest = stream
        while !rest.isEmpty {
            session.feed(rest.prefix(piece))
            rest = rest.dropFirst(piece)
            // feed makes as much room as it is given; the frame itself never more than its checked length.
            let allowed = edge.frameLimit + 20 + 16_384 + max(piece, 4_096)
            if session.capacity > allowed { return (lines, "too much memory") }
            do throws(Failure) {
                while let event = try session.next() { try note(event, edge, &session, &lines, &owed) }
            } catch {
                return (lines + ["violation \(error.code) \(error.place)"], nil)
            }
            if owed.count > Int(window) { return (lines, "more requests than the window") }
        }
        for id in owed where !session.finish(id, successfully: true) { return (lines, "request \(id) is not owed") }
        for id in owed where session.finish(id, successfully: true) { return (lines, "request \(id) ends twice") }
        return (lines, nil)
    }

    private static func note<Edge: WireEdge>(
        _ event: consuming SessionEvent, _ edge: Edge.Type, _ session: inout Session, _ lines: inout [String],
        _ owed: inout [UInt64]
    ) throws(Failure) {
        switch consume event {
        case .ready:
            lines.append("ready \(session.minor) \(session.sendLimit) \(session.peerWindow)")
            // Something to answer, so that answers can be right.
            for rule in edge.rules { _ = session.begin(rule.type, fds: rule.requestFDs.count) }
        case .goodbye(let failure): lines.append("goodbye \(failure.code)")
        case .request(let request, let fds):
            lines.append("request \(request.id) \(request.type) \(request.body.count) \(fds.count)")
            try session.admit(request)
            owed.append(request.id)
            // Every second one is answered at once, so that phases move and the window breathes.
            if request.id % 2 == 0, session.finish(request.id, successfully: true) { owed.removeLast() }
        case .reply(let id, let body, let fds): lines.append("reply \(id) \(session.bytes(body).count) \(fds.count)")
        case .item(let id, let body, _): lines.append("item \(id) \(session.bytes(body).count)")
        case .end(let id): lines.append("end \(id)")
        case .error(let id, let failure): lines.append("error \(id) \(failure.code)")
        case .answerIgnored: lines.append("ignored")
        case .abandoned(let id, let type):
            lines.append("abandoned \(id) \(type)")
            // Only a stream that is open can be: it ends here, once. Any other is one too many to finish at the end.
            guard let index = owed.firstIndex(of: id), session.finish(id, successfully: true) else {
                return owed.append(id)
            }
            owed.remove(at: index)
        }
    }
}
