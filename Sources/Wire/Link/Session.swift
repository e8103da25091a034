// The rules of a connection, without the connection: what may come, what may go, and what it means. No I/O and no
// clock; `Channel` drives it over a poll loop, `BlockingClient` over a blocking socket, tests and the fuzzer by hand.
//
// The order of checks on a received frame is fixed, so that every implementation names the same error:
//   1 size  2 kind  3 known type  4 permitted side  5 permitted phase (and: is there such a request)
//   6 descriptor count  7 descriptor kinds  8 payload  9 window
// 1 and 2 are FrameDecoder's and FrameHeader's, 3 to 7 are in Session+Receive, 8 is the handler table's (it knows the
// types), 9 is `admit`. The first failure ends the session: its code goes into the Goodbye.

package import Posix
package import Wire

/// The state machine of one connection, on either side.
package struct Session: ~Copyable {
    /// A request of ours that has no terminal frame yet.
    struct Outgoing {
        let rule: Int
        /// Monotonic nanoseconds; `.max`: none.
        let deadline: UInt64
        /// Its deadline has passed or nobody wants it: the answer is still due, and will be ignored.
        var isAbandoned = false
    }

    let edge: EdgeTable
    package let side: Side
    let role: Role
    let window: UInt16
    /// A look at a descriptor, by its number. Injected: the session itself touches nothing.
    let fdIs: (Int32, FDKind) -> Bool

    var decoder: FrameDecoder
    /// The peer's hello was taken. (The client has sent its own before, the server sends its own at this moment.)
    package internal(set) var isReady = false
    /// Index into the edge's phases.
    package internal(set) var phase: UInt8 = 0
    /// The minor version that both speak; valid when ready.
    package internal(set) var minor: UInt16 = 0
    /// The most that a length word may say to this peer.
    package internal(set) var sendLimit: Int
    /// Requests that the peer takes in flight; valid when ready.
    package internal(set) var peerWindow = 0

    var lastIncoming: UInt64 = 0
    /// Requests of the peer that we have not answered: id to row.
    var incoming = RequestTable<Int>()
    private var lastOutgoing: UInt64 = 0
    var outgoing = RequestTable<Outgoing>()

    /// `role` is ours; the edge says which one the peer must have.
    package init(
        _ edge: EdgeTable, side: Side, role: Role, window: UInt16 = 64,
        fdIs: @escaping (Int32, FDKind) -> Bool = DescriptorCheck.is
    ) {
        self.edge = edge
        self.side = side
        self.role = role
        self.window = window
        self.fdIs = fdIs
        sendLimit = edge.frameLimit
        decoder = FrameDecoder(limit: edge.frameLimit)
    }

    /// What we say first: the client at once, the server on `.ready`.
    package var hello: Hello {
        Hello(
            magic: Self.magic, major: edge.major, minorLowest: 0, minorHighest: edge.minor, role: role,
            frameLimit: UInt32(edge.frameLimit), window: window)
    }

    /// "BULKHEAD-WIRE-1\n"
    package static let magic = Bytes16(high: 0x4255_4C4B_4845_4144, low: 0x2D57_4952_452D_310A)

    /// Bytes of memory that the peer made us hold for what it sends.
    package var capacity: Int { decoder.capacity }

    /// The bytes of a body that an event has named.
    package func bytes(_ body: Range<Int>) -> ArraySlice<UInt8> { decoder.buffer[body] }

    /// Reads once; see `FrameDecoder.fill`.
    package mutating func fill(
        _ read: (inout [UInt8], Int, inout FDBundle) throws(PosixError) -> ReadOutcome
    ) throws(PosixError) -> ReadOutcome {
        try decoder.fill(read)
    }

    /// One read's worth of bytes from memory.
    package mutating func feed(_ bytes: ArraySlice<UInt8>, fds: consuming FDBundle = FDBundle()) {
        decoder.feed(bytes, fds: fds)
    }
}

// MARK: requests of the peer

extension Session {
    /// Takes a decoded request into the table: the last check of a request. From here on it is owed one terminal frame.
    package mutating func admit(_ request: IncomingRequest) throws(Failure) {
        if incoming.count >= Int(window) {
            throw Failure(.windowExceeded, "more than \(window) requests in flight", place: name(request.rule))
        }
        incoming.insert(request.id, request.rule)
    }

    /// Closes a request: true for the one who may send its terminal frame, false ever after.
    package mutating func finish(_ id: UInt64, successfully: Bool) -> Bool {
        guard let rule = incoming.remove(id) else { return false }
        if successfully, let next = edge.rules[rule].next { phase = next }
        return true
    }

    /// How many descriptors ride on the reply to a request of this type.
    package func replyFDs(_ type: UInt16) -> Int {
        edge.index(of: type).map { edge.rules[$0].replyFDs.count } ?? 0
    }

    package func itemFDs(_ type: UInt16) -> Int {
        edge.index(of: type).map { edge.rules[$0].itemFDs.count } ?? 0
    }

    /// Whether a request of the peer still waits for its terminal frame.
    package func isOwed(_ id: UInt64) -> Bool { incoming.index(of: id) != nil }
}

// MARK: requests of ours

extension Session {
    /// Asks to send a request of this type; `deadline` in monotonic nanoseconds (`.max`: none).
    /// `fds`: how many descriptors the caller has for it.
    package mutating func begin(_ type: UInt16, fds: Int = 0, deadline: UInt64 = .max) -> OutgoingStart {
        guard isReady else { return .wait }
        guard let rule = edge.index(of: type), edge.rules[rule].from == side, edge.rules[rule].since <= minor,
            edge.permits(rule, in: phase)
        else {
            return .refuse(Failure(.unpermitted, "not permitted in phase \(phaseName)", place: "\(type)"))
        }
        if edge.rules[rule].requestFDs.count != fds {
            return .refuse(Failure(.wrongFds, "\(fds) descriptors to send", place: name(rule)))
        }
        // Abandoned ones count: the peer still works on them.
        if outgoing.count >= peerWindow { return .wait }
        lastOutgoing += 1
        outgoing.insert(lastOutgoing, Outgoing(rule: rule, deadline: deadline))
        return .send(id: lastOutgoing)
    }

    /// Gives up a request in flight: what still comes for it will be ignored. True: the peer is to be told (`Abandon`).
    package mutating func abandon(_ id: UInt64) -> Bool {
        guard let index = outgoing.index(of: id), !outgoing[index].isAbandoned else { return false }
        outgoing[index].isAbandoned = true
        return true
    }

    /// Takes back a `begin` whose request did not encode.
    package mutating func cancel(_ id: UInt64) { outgoing.remove(id) }

    /// The earliest deadline of a request in flight.
    package var nextDeadline: UInt64? {
        var earliest = UInt64.max
        for entry in outgoing.entries where !entry.value.isAbandoned { earliest = min(earliest, entry.value.deadline) }
        return earliest == .max ? nil : earliest
    }

    /// Gives up the requests whose deadline has come; their late answers will be ignored. Returns their ids.
    package mutating func expire(_ now: UInt64) -> [UInt64] {
        var expired: [UInt64] = []
        for index in outgoing.entries.indices {
            let entry = outgoing.entries[index]
            if entry.value.isAbandoned || entry.value.deadline > now { continue }
            outgoing[index].isAbandoned = true
            expired.append(entry.id)
        }
        return expired
    }
}

extension Session {
    func name(_ rule: Int) -> String { edge.rules[rule].name }

    var phaseName: String { Int(phase) < edge.phases.count ? edge.phases[Int(phase)] : "\(phase)" }
}
