// The half of HTTP/1.1 that a client of an engine needs: one answer on one connection. Bytes go in as they come; no I/O
// here. Strict, because the only peer is an engine: what is unusual is an error, and every size has a bound. EngineCall
// feeds it.

/// What an engine sent is not an answer.
struct HTTPViolation: Error, Equatable { let text: String }

/// Parses one response. After an upgrade (101) everything behind the head is `body`.
struct HTTPResponseParser: ~Copyable {
    private enum Phase: Equatable {
        case statusLine, headers, fixed(Int), chunkSize, chunk(Int), chunkEnd, trailers, untilClose, upgraded, done
    }
    private static let headLimit = 16 * 1024

    private(set) var status = 0
    private(set) var body: [UInt8] = []
    private var phase = Phase.statusLine
    private var line: [UInt8] = []
    private var headBytes = 0
    private var contentLength: Int?
    private var chunked = false
    private let bodyLimit: Int
    private let wantsUpgrade: Bool

    init(bodyLimit: Int, wantsUpgrade: Bool) {
        self.bodyLimit = bodyLimit
        self.wantsUpgrade = wantsUpgrade
    }

    /// The head is complete: `status` is valid.
    var hasHead: Bool { phase != .statusLine && phase != .headers }
    var isComplete: Bool { phase == .done }
    var isUpgraded: Bool { phase == .upgraded }

    /// The next bytes of the connection.
    mutating func feed(_ bytes: ArraySlice<UInt8>) throws(HTTPViolation) {
        var rest = bytes
        while !rest.isEmpty {
            switch phase {
            case .statusLine, .headers, .chunkSize, .chunkEnd, .trailers:
                if let line = try takeLine(&rest) { try consume(line) }
            case .fixed(let count):
                let taken = try takeBody(&rest, atMost: count)
                phase = taken == count ? .done : .fixed(count - taken)
            case .chunk(let count):
                let taken = try takeBody(&rest, atMost: count)
                phase = taken == count ? .chunkEnd : .chunk(count - taken)
            case .untilClose, .upgraded:
                _ = try takeBody(&rest, atMost: rest.count)
            case .done:
                throw HTTPViolation(text: "bytes behind the answer")
            }
        }
    }

    /// The peer will send no more.
    mutating func end() throws(HTTPViolation) {
        if phase == .untilClose { phase = .done }
        if phase != .done && phase != .upgraded { throw HTTPViolation(text: "the answer broke off") }
    }

    private mutating func takeBody(_ rest: inout ArraySlice<UInt8>, atMost count: Int) throws(HTTPViolation) -> Int {
        let part = rest.prefix(count)
        if body.count + part.count > bodyLimit { throw HTTPViolation(text: "the answer is larger than \(bodyLimit)") }
        body.append(contentsOf: part)
        rest = rest.dropFirst(part.count)
        return part.count
    }

    /// A line without its CRLF, once it is complete.
    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>) throws(HTTPViolation) -> [UInt8]? {
        while let byte = rest.popFirst() {
            headBytes += 1
            if headBytes > Self.headLimit && !hasHead { throw HTTPViolation(text: "the head is too large") }
            if line.count > 8192 { throw HTTPViolation(text: "a line is too long") }
            if byte == 0x0A {
                guard line.popLast() == 0x0D else { throw HTTPViolation(text: "a line does not end in CRLF") }
                defer { line = [] }
                return line
            }
            if byte == 0 { throw HTTPViolation(text: "a NUL in a line") }
            line.append(byte)
        }
        return nil
    }

    private mutating func consume(_ line: [UInt8]) throws(HTTPViolation) {
        switch phase {
        case .statusLine: try consumeStatus(line)
        case .headers: if line.isEmpty { try endHead() } else { try consumeHeader(line) }
        case .chunkSize: try consumeChunkSize(line)
        case .chunkEnd:
            if !line.isEmpty { throw HTTPViolation(text: "a chunk is longer than it said") }
            phase = .chunkSize
        default: if line.isEmpty { phase = .done }  // trailers say nothing to us
        }
    }

    private mutating func consumeStatus(_ line: [UInt8]) throws(HTTPViolation) {
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 ") || text.hasPrefix("HTTP/1.0 "), let status = Int(text.dropFirst(9).prefix(3)),
            (100...599).contains(status), line.count == 12 || line[12] == 0x20
        else { throw HTTPViolation(text: "not an HTTP status line") }
        self.status = status
        phase = .headers
    }

    private mutating func consumeHeader(_ line: [UInt8]) throws(HTTPViolation) {
        guard let colon = line.firstIndex(of: 0x3A), colon > 0, line[0] != 0x20, line[0] != 0x09 else {
            throw HTTPViolation(text: "not a header line")
        }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let value = String(decoding: line[(colon + 1)...], as: UTF8.self).lowercased()
            .split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
        switch name {
        case "content-length":
            guard contentLength == nil, !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int(value), length <= bodyLimit
            else { throw HTTPViolation(text: "an unacceptable Content-Length") }
            contentLength = length
        case "transfer-encoding":
            guard value == "chunked", !chunked else { throw HTTPViolation(text: "an unknown Transfer-Encoding") }
            chunked = true
        default: break
        }
    }

    private mutating func endHead() throws(HTTPViolation) {
        if chunked && contentLength != nil { throw HTTPViolation(text: "two lengths of one answer") }
        switch status {
        case 101:
            guard wantsUpgrade else { throw HTTPViolation(text: "an upgrade that nobody asked for") }
            phase = .upgraded
        case 100..<200: phase = .statusLine  // an interim answer; the real one follows
        case 204, 304: phase = .done
        default:
            if chunked {
                phase = .chunkSize
            } else if let contentLength {
                phase = contentLength == 0 ? .done : .fixed(contentLength)
            } else {
                phase = .untilClose
            }
        }
    }

    private mutating func consumeChunkSize(_ line: [UInt8]) throws(HTTPViolation) {
        let digits = line.prefix(while: { $0 != 0x3B })
        let hexadecimal = digits.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
        }
        guard (1...8).contains(digits.count), hexadecimal,
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw HTTPViolation(text: "not the size of a chunk") }
        phase = size == 0 ? .trailers : .chunk(size)
    }
}
