// Transfer: one exchange, from libcurl's side. Outbound starts it and takes what came; libcurl calls it in between,
// with bytes of a server that may be anybody.

import CCurl
import Exchange
import Posix
import Secret

@safe
final class Transfer {
    typealias Completion = (Result<ExchangeAnswer, OutboundFailure>) -> Void

    let request: ExchangeRequest
    let origins: Set<Origin>
    let limits: TransferLimits
    let sink: (any BodySink)?
    private let source: (any BodySource)?
    let completion: Completion
    private let addresses: AddressPolicy
    private let handle: UnsafeMutableRawPointer
    private var lines: UnsafeMutablePointer<curl_slist>?
    private var headers = HeaderCollector()
    private var body: [UInt8] = []
    private var received: UInt64 = 0
    private var refusedAddress = false
    private var hasConnected = false
    private var stop: OutboundFailure.Reason?

    init(
        _ request: ExchangeRequest, within origins: Set<Origin>, addresses: AddressPolicy, limits: TransferLimits,
        sink: (any BodySink)?, source: (any BodySource)?, completion: @escaping Completion
    ) throws(OutboundFailure) {
        guard let handle = unsafe curl_easy_init() else { throw OutboundFailure(.transfer("libcurl cannot start")) }
        unsafe self.handle = handle
        self.request = request
        self.origins = origins
        self.addresses = addresses
        self.limits = limits
        self.sink = sink
        self.source = source
        self.completion = completion
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        // libcurl reads them until the end. One of them holds the token.
        if let lines = unsafe lines { unsafe bh_curl_forget(lines) }
    }

    /// What libcurl calls this transfer.
    var easy: UnsafeMutableRawPointer { unsafe handle }
    var number: UInt { unsafe UInt(bitPattern: handle) }

    // MARK: before

    func setUp(_ settings: OutboundSettings) throws(OutboundFailure) {
        guard request.url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw OutboundFailure(.malformed) }
        let isPlain = request.origin.scheme == .http
        try text(CURLOPT_URL, request.url)
        try text(CURLOPT_PROTOCOLS_STR, isPlain ? "http" : "https")
        try text(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        // No variable of the environment has a say.
        try text(CURLOPT_PROXY, "")
        try text(CURLOPT_NOPROXY, "*")
        try number(CURLOPT_FOLLOWLOCATION, 0)
        // On a connection that turns out to be dead libcurl sends again, and it cannot know what came of the first.
        try number(CURLOPT_FRESH_CONNECT, request.isRepeatable && source == nil ? 0 : 1)
        try number(CURLOPT_PATH_AS_IS, 1)
        try number(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try number(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try number(CURLOPT_HTTP09_ALLOWED, 0)
        try number(CURLOPT_NETRC, 0)
        try number(CURLOPT_SSL_VERIFYPEER, 1)
        try number(CURLOPT_SSL_VERIFYHOST, 2)
        try number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try number(CURLOPT_NOSIGNAL, 1)
        // A name server that does not answer must not hold the loop up when a transfer is given up.
        try number(CURLOPT_QUICK_EXIT, 1)
        try number(CURLOPT_CONNECTTIMEOUT_MS, limits.connect.milliseconds)
        try number(CURLOPT_TIMEOUT_MS, limits.total.milliseconds)
        try number(CURLOPT_LOW_SPEED_LIMIT, limits.slowest)
        try number(CURLOPT_LOW_SPEED_TIME, max(1, limits.slowTime.milliseconds / 1000))
        try check(unsafe bh_curl_size(handle, CURLOPT_MAXFILESIZE_LARGE, Int64(clamping: limits.body)))
        if let authorities = settings.authorities {
            try check(
                unsafe authorities.withUnsafeBytes { unsafe bh_curl_authorities(handle, $0.baseAddress, $0.count) })
        }
        if source == nil { try setBody(request.body) }
        try setCallbacks()
    }

    private func setBody(_ body: [UInt8]) throws(OutboundFailure) {
        if request.method == .get { return }
        try check(unsafe body.withUnsafeBytes { unsafe bh_curl_body(handle, $0.baseAddress, $0.count) })
    }

    /// The header lines; with `token`, if the request says how.
    func setHeaders(_ token: borrowing Secret) throws(OutboundFailure) {
        try setHeaders()
        guard let credential = request.credential else { return }
        let longer: UnsafeMutablePointer<curl_slist>? = unsafe token.withBytes { bytes in
            // What a header can hold, and what every forge's tokens are made of.
            guard bytes.count > 0, unsafe bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
            return unsafe bh_curl_token(
                lines, "\(credential.header): \(credential.prefix)", bytes.baseAddress, bytes.count)
        }
        guard let longer = unsafe longer else { throw OutboundFailure(.malformed) }
        unsafe lines = longer
        try check(unsafe bh_curl_headers(handle, lines))
        if let place = request.tokenAt { try setBody(with: token, at: place) }
    }

    /// The body with the token between its quotes. Both copies of it are overwritten when they are freed (CWipe).
    private func setBody(with token: borrowing Secret, at place: Int) throws(OutboundFailure) {
        guard (0...request.body.count).contains(place) else { throw OutboundFailure(.malformed) }
        var body = request.body
        let fits = unsafe token.withBytes { bytes in
            // Nothing that would end the text, or be an escape in it.
            guard unsafe bytes.allSatisfy({ $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
                return false
            }
            unsafe body.insert(contentsOf: bytes, at: place)
            return true
        }
        guard fits else { throw OutboundFailure(.malformed) }
        try setBody(body)
    }

    /// Those lines that hold no token.
    func setHeaders() throws(OutboundFailure) {
        // Nobody waits for a `100 Continue`, and nothing that was not asked for has a type.
        var fields = [HeaderField("Expect", ""), HeaderField("User-Agent", "bulkhead")] + request.headers
        if request.method != .get, !request.headers.contains(where: { $0.name == "Content-Type" }) {
            fields.append(HeaderField("Content-Type", ""))
        }
        for field in fields {
            guard (field.name + field.value).utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw OutboundFailure(.malformed)
            }
            guard let longer = unsafe curl_slist_append(lines, "\(field.name): \(field.value)") else {
                throw OutboundFailure(.transfer("out of memory"))
            }
            unsafe lines = longer
        }
        try check(unsafe bh_curl_headers(handle, lines))
    }

    private func setCallbacks() throws(OutboundFailure) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try check(
            unsafe bh_curl_transfer_callbacks(
                handle, context,
                { bytes, size, count, context in
                    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
                    let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().receiveHeader(line)
                },
                { bytes, size, count, context in
                    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
                    let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().receive(piece)
                },
                { context, _, address in
                    guard let context = unsafe context, let address = unsafe address else { return -1 }
                    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().open(address)
                }))
        guard let source else { return }
        try check(
            unsafe bh_curl_upload(handle, context, Int64(clamping: source.size)) { room, size, count, context in
                guard let room = unsafe room, let context = unsafe context else { return Int(CURL_READFUNC_ABORT) }
                let all = unsafe UnsafeMutableRawBufferPointer(start: room, count: size * count)
                return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().give(all)
            })
    }

    private func text(_ option: CURLoption, _ value: String) throws(OutboundFailure) {
        try check(unsafe bh_curl_text(handle, option, value))
    }

    private func number(_ option: CURLoption, _ value: Int) throws(OutboundFailure) {
        try check(unsafe bh_curl_number(handle, option, value))
    }

    private func check(_ code: CURLcode) throws(OutboundFailure) {
        if code != CURLE_OK { throw OutboundFailure(.transfer(Self.words(code))) }
    }

    private static func words(_ code: CURLcode) -> String { unsafe String(cString: curl_easy_strerror(code)) }

    // MARK: meanwhile

    /// The last moment at which a connection can be refused: the next call hands the address to the kernel.
    private func open(_ address: UnsafePointer<curl_sockaddr>) -> curl_socket_t {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe bh_curl_address(address, &bytes)
        guard let ip = IPAddress(bytes: Array(bytes.prefix(Int(count)))),
            addresses.admits(ip, isPlain: request.origin.scheme == .http)
        else {
            refusedAddress = true
            return -1
        }
        hasConnected = true
        return unsafe bh_curl_socket(address)
    }

    private func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        guard headers.take(unsafe Array(line), limit: limits.headers) else {
            stop = .headersTooLarge
            return -1
        }
        return line.count
    }

    private func give(_ room: UnsafeMutableRawBufferPointer) -> Int {
        guard let source, let piece = source.next(room.count), piece.count <= room.count else {
            stop = .stopped
            return Int(CURL_READFUNC_ABORT)
        }
        unsafe room.copyBytes(from: piece)
        return piece.count
    }

    private func receive(_ piece: UnsafeRawBufferPointer) -> Int {
        let isForSink = sink != nil && headers.status == 200
        received += UInt64(piece.count)
        guard received <= (isForSink || sink == nil ? limits.body : min(limits.body, limits.errorBody)) else {
            stop = .tooLarge
            return -1
        }
        let bytes = unsafe Array(piece)
        if isForSink, let sink {
            guard sink.take(bytes[...]) else {
                stop = .stopped
                return -1
            }
        } else {
            body += bytes
        }
        return piece.count
    }

    // MARK: after

    /// What came of it, by libcurl's verdict.
    func result(_ code: CURLcode) -> Result<ExchangeAnswer, OutboundFailure> {
        if code == CURLE_OK {
            return .success(ExchangeAnswer(status: headers.status, headers: headers.fields, body: body))
        }
        return .failure(OutboundFailure(stop ?? reason(code), wasSent: unsafe bh_curl_sent(handle) > 0))
    }

    private func reason(_ code: CURLcode) -> OutboundFailure.Reason {
        switch code {
        case CURLE_COULDNT_CONNECT where refusedAddress && !hasConnected: .refusedAddress
        case CURLE_PEER_FAILED_VERIFICATION: .certificate
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        default: .transfer(Self.words(code))
        }
    }
}

extension Duration {
    /// From one to some days.
    fileprivate var milliseconds: Int { max(1, Int(min(self / .milliseconds(1), 1e9))) }
}
