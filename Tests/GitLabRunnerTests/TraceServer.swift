// A server for logs of a few lines, after GitLab's behaviour, whose answers get lost; and the owner of a TraceMachine
// that drives it in virtual time.

import Exchange
import GitLabRunner

struct Dice {
    var state: UInt64

    mutating func roll(_ sides: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % sides
    }
}

/// What it has heard.
struct TraceServer {
    var log: [UInt8] = []
    var status = "running"
    /// How often an end is only accepted before it is final.
    var persisting = 0
    var accepted: String?
    /// Pieces that were taken: where, and how many bytes.
    var taken: [(Int, Int)] = []
    var asked = 0
    /// A piece longer than that is 413.
    var mostBytes = Int.max
    var keepsLogAfterMismatch = false

    mutating func answer(_ request: ExchangeRequest) -> ExchangeAnswer {
        asked += 1
        return request.method == .patch ? patch(request) : put(request)
    }

    private func said(_ code: Int, _ more: HeaderField...) -> ExchangeAnswer {
        ExchangeAnswer(
            status: code,
            headers: more + [HeaderField("Job-Status", status), HeaderField("X-GitLab-Trace-Update-Interval", "2")])
    }

    private mutating func patch(_ request: ExchangeRequest) -> ExchangeAnswer {
        guard status == "running" || status == "canceling" else { return said(403) }
        let range = request.headers.first { $0.name == "Content-Range" }?.value.split(separator: "-") ?? []
        guard range.count == 2, let first = Int(range[0]), let last = Int(range[1]), !request.body.isEmpty else {
            return said(400)
        }
        if request.body.count > mostBytes { return said(413) }
        guard first == log.count, last == first + request.body.count - 1 else {
            return said(416, HeaderField("Range", "0-\(log.count)"))
        }
        log += request.body
        taken.append((first, request.body.count))
        return said(202, HeaderField("Range", "0-\(log.count)"))
    }

    private mutating func put(_ request: ExchangeRequest) -> ExchangeAnswer {
        let text = String(decoding: request.body, as: UTF8.self)
        guard status == "running" || status == "canceling" else { return said(403) }
        if text.contains(#""state":"running""#) { return said(200) }
        let digits = String(Self.crc(log), radix: 16)
        let crc = String(repeating: "0", count: 8 - digits.count) + digits
        guard text.contains(#""checksum":"crc32:\#(crc)","bytesize":\#(log.count)}"#) else {
            if !keepsLogAfterMismatch { log = [] }
            return said(412)
        }
        if let accepted, accepted != text { return said(409) }
        accepted = text
        if persisting > 0 {
            persisting -= 1
            return said(202)
        }
        status = text.contains(#""state":"success""#) ? "success" : "failed"
        return said(200)
    }

    /// Bit by bit, so that it is not the one that is tested.
    static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}

/// Drives a machine over a log that grows.
struct TraceDriver: ~Copyable {
    var machine: TraceMachine
    var server: TraceServer
    var log: [UInt8]
    var now: UInt64 = 1_000
    var notices: [TraceMachine.Notice] = []
    var steps = 0
    var sent: [ExchangeRequest] = []

    init(_ log: [UInt8], server: TraceServer = TraceServer(), isResumed: Bool = false, limits: TraceMachine.Limits) {
        self.log = log
        self.server = server
        machine = TraceMachine(Made.handle, by: Made.api, isResumed: isResumed, now: 1_000, limits: limits)
    }

    /// One step; false: it has nothing to do before `until`.
    /// - Parameter network: what becomes of an answer.
    mutating func step(
        until: UInt64 = .max, network: (ExchangeRequest, inout TraceServer) -> RetryPolicy.Outcome
    ) -> TraceMachine.Over? {
        steps += 1
        switch machine.next(now: now) {
        case .over(let over): return over
        case .nothing: preconditionFailure("a machine that waits for what it has")
        case .wait(let time): now = max(now + 1, min(time, until))
        case .read(let offset, let count):
            let end = min(UInt64(log.count), offset + UInt64(count))
            machine.feed(offset < end ? Array(log[Int(offset)..<Int(end)]) : [])
        case .send(let request):
            sent.append(request.request)
            let outcome = network(request.request, &server)
            now += 5
            if let notice = machine.take(outcome, now: now, wall: 1_800_000_000, jitter: 7) { notices.append(notice) }
        }
        return nil
    }

    mutating func runToEnd(
        _ network: (ExchangeRequest, inout TraceServer) -> RetryPolicy.Outcome = { .answer($1.answer($0)) }
    ) -> TraceMachine.Over? {
        for _ in 0..<200_000 { if let over = step(network: network) { return over } }
        return nil
    }
}
