// Outbound: the only way out of this house. Requests go to the servers that are named with them, over verified TLS, to
// addresses that are looked at before each connection; answers are bounded in every direction. One thread: libcurl says
// which sockets and what time it waits for, and the house's loop waits.

import CCurl
package import Exchange
package import Posix
package import Secret

/// Names a transfer; stale ones are harmless.
package struct TransferID: Hashable, Sendable {
    let number: UInt64
}

@safe
package final class Outbound {
    package typealias Completion = (Result<ExchangeAnswer, OutboundFailure>) -> Void

    private static let isReady = bh_curl_start() == CURLE_OK

    private let loop: PollLoop
    private let settings: OutboundSettings
    private let multi: UnsafeMutableRawPointer
    private var transfers: [TransferID: Transfer] = [:]
    /// By libcurl's handle.
    private var numbers: [UInt: TransferID] = [:]
    private var timer: TimerID?
    private var lastNumber: UInt64 = 0

    package init(loop: PollLoop, settings: OutboundSettings) throws(OutboundFailure) {
        try Self.prepare()
        guard let multi = unsafe curl_multi_init() else {
            throw OutboundFailure(.transfer("libcurl cannot start"))
        }
        self.loop = loop
        self.settings = settings
        unsafe self.multi = multi
        setUp()
    }

    deinit {
        if let timer { loop.cancel(timer) }
        for transfer in transfers.values { unsafe curl_multi_remove_handle(multi, transfer.easy) }
        unsafe curl_multi_cleanup(multi)
    }

    /// Reads what libcurl and its TLS library read at their start. Before a process confines itself.
    package static func prepare() throws(OutboundFailure) {
        guard isReady else { throw OutboundFailure(.transfer("libcurl cannot start")) }
    }

    /// What looking a name up reads. A directory where the file in it is replaced rather than written.
    package static let resolverFiles = [
        "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/nsswitch.conf",
        "/run/systemd/resolve",
    ]

    /// Transfers under way.
    package var count: Int { transfers.count }

    /// Sends a request. The token goes into the one header that the request names, and into the body where the request
    /// says so, and is overwritten there when the transfer ends. `source` is a large body, in place of the request's
    /// own. `origins` are all servers that this transfer may speak to, a redirect's included: neither the
    /// request nor an answer can name another. `completion` is called once, in a later pass of the loop; for a good
    /// answer `sink`, if there is one, has had the body before.
    @discardableResult
    package func send(
        _ request: ExchangeRequest, token: borrowing Secret, within origins: Set<Origin>,
        limits: TransferLimits = .api, from source: (any BodySource)? = nil, into sink: (any BodySink)? = nil,
        _ completion: @escaping Completion
    ) -> TransferID {
        let id = nextID()
        do throws(OutboundFailure) {
            let transfer = try prepared(request, origins, limits, sink, completion, from: source)
            try transfer.setHeaders(token)
            try start(transfer, id)
        } catch {
            loop.soon { completion(.failure(error)) }
        }
        return id
    }

    /// Ends a transfer; its completion hears `.cancelled`. Not to be called by a sink.
    package func cancel(_ id: TransferID) {
        guard let transfer = transfers[id] else { return }
        remove(transfer, id)
        loop.soon { transfer.completion(.failure(OutboundFailure(.cancelled, wasSent: true))) }
    }

    // MARK: starting

    /// To where an answer led: without the token.
    private func goOn(_ request: ExchangeRequest, after transfer: Transfer, as id: TransferID) {
        do throws(OutboundFailure) {
            let next = try prepared(
                request, transfer.origins, transfer.limits, transfer.sink, transfer.completion)
            try next.setHeaders()
            try start(next, id)
        } catch {
            loop.soon { transfer.completion(.failure(error)) }
        }
    }

    private func nextID() -> TransferID {
        lastNumber += 1
        return TransferID(number: lastNumber)
    }

    private func prepared(
        _ request: ExchangeRequest, _ origins: Set<Origin>, _ limits: TransferLimits, _ sink: (any BodySink)?,
        _ completion: @escaping Completion, from source: (any BodySource)? = nil
    ) throws(OutboundFailure) -> Transfer {
        guard origins.contains(request.origin) else { throw OutboundFailure(.unknownOrigin) }
        let transfer = try Transfer(
            request, within: origins, addresses: settings.addresses, limits: limits, sink: sink,
            source: source, completion: completion)
        try transfer.setUp(settings)
        return transfer
    }

    private func start(_ transfer: Transfer, _ id: TransferID) throws(OutboundFailure) {
        let code = unsafe curl_multi_add_handle(multi, transfer.easy)
        guard code == CURLM_OK else { throw OutboundFailure(.transfer(Self.words(code))) }
        transfers[id] = transfer
        numbers[transfer.number] = id
    }

    private func remove(_ transfer: Transfer, _ id: TransferID) {
        unsafe curl_multi_remove_handle(multi, transfer.easy)
        numbers.removeValue(forKey: transfer.number)
        transfers.removeValue(forKey: id)
    }

    // MARK: libcurl and the loop

    private func setUp() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        // None of these fails for values of the right type.
        unsafe bh_curl_multi_callbacks(
            multi, context,
            { _, socket, wanted, context, _ in
                guard let context = unsafe context else { return -1 }
                return unsafe Unmanaged<Outbound>.fromOpaque(context).takeUnretainedValue().watch(socket, wanted)
            },
            { _, milliseconds, context in
                guard let context = unsafe context else { return -1 }
                unsafe Unmanaged<Outbound>.fromOpaque(context).takeUnretainedValue().wait(milliseconds)
                return 0
            })
        unsafe bh_curl_multi_number(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 8)
        unsafe bh_curl_multi_number(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 64)
        unsafe bh_curl_multi_number(multi, CURLMOPT_MAXCONNECTS, 16)
    }

    /// -1 ends all transfers: the loop cannot watch any more.
    private func watch(_ socket: curl_socket_t, _ wanted: Int32) -> Int32 {
        if wanted == CURL_POLL_REMOVE {
            loop.unwatch(socket)
            return 0
        }
        var interest: Interest = []
        if wanted & CURL_POLL_IN != 0 { interest.insert(.readable) }
        if wanted & CURL_POLL_OUT != 0 { interest.insert(.writable) }
        do throws(PosixError) {
            if loop.isWatched(socket) {
                try loop.change(socket, interest)
            } else {
                try loop.watch(socket, interest) { [weak self] told in self?.ready(socket, told) }
            }
            return 0
        } catch {
            return -1
        }
    }

    private func wait(_ milliseconds: Int) {
        if let timer { loop.cancel(timer) }
        timer = nil
        if milliseconds < 0 { return }
        timer = loop.after(.milliseconds(milliseconds)) { [weak self] in
            self?.timer = nil
            self?.act(curl_socket_t(-1), 0)
        }
    }

    private func ready(_ socket: curl_socket_t, _ told: Interest) {
        var bits: Int32 = 0
        if told.contains(.readable) { bits |= CURL_CSELECT_IN }
        if told.contains(.writable) { bits |= CURL_CSELECT_OUT }
        if told.contains(.hangup) { bits |= CURL_CSELECT_ERR }
        act(socket, bits)
    }

    private func act(_ socket: curl_socket_t, _ bits: Int32) {
        var running: Int32 = 0
        // What goes wrong with a transfer is told with it.
        unsafe curl_multi_socket_action(multi, socket, bits, &running)
        finish()
    }

    private func finish() {
        var code = CURLE_OK
        while let easy = unsafe bh_curl_ended(multi, &code) {
            guard let id = numbers[UInt(bitPattern: easy)], let transfer = transfers[id] else { continue }
            remove(transfer, id)
            let result = transfer.result(code)
            if case .success(let answer) = result, let next = Redirect.next(after: answer, to: transfer.request) {
                goOn(next, after: transfer, as: id)
            } else {
                transfer.completion(result)
            }
        }
    }

    private static func words(_ code: CURLMcode) -> String { unsafe String(cString: curl_multi_strerror(code)) }
}
