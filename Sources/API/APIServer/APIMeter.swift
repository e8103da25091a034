// APIMeter: what apid counts about itself. Routes are the rows of the table, so a stranger's paths make no new labels.

import Exposition
import Files
import HTTPTypes
import Posix
import Synchronization

/// Counters, from any thread.
final class APIMeter: Sendable {
    private struct Key: Hashable {
        let method: String
        let route: String
        let status: String
    }

    private struct Counts {
        var requests: [Key: UInt64] = [:]
        var connections = 0
        var accepted: UInt64 = 0
    }

    private let counts = Mutex(Counts())

    /// `route`: the path of the row that answered; nil if there is none.
    func count(_ method: HTTPRequest.Method, route: String?, status: HTTPResponse.Status) {
        // Whatever word a client takes for a method where there is no route, it is one label.
        let key = Key(
            method: route == nil ? "" : method.rawValue, route: route ?? "", status: "\(status.code / 100)xx")
        counts.withLock { $0.requests[key, default: 0] += 1 }
    }

    func opened() {
        counts.withLock {
            $0.connections += 1
            $0.accepted += 1
        }
    }

    func closed() { counts.withLock { $0.connections -= 1 } }

    /// In Prometheus' format.
    var text: String {
        let counts = counts.withLock { $0 }
        var text = MetricsText()
        text.family("bulkhead_api_requests_total", .counter, "HTTP requests by route and class of status.")
        let order: (Key, Key) -> Bool = { ($0.route, $0.method, $0.status) < ($1.route, $1.method, $1.status) }
        for (key, count) in counts.requests.sorted(by: { order($0.key, $1.key) }) {
            text.sample(count, ["method": key.method, "route": key.route, "status": key.status])
        }
        text.family("bulkhead_api_connections", .gauge, "HTTP connections that are open.")
        text.sample(counts.connections)
        text.family("bulkhead_api_connections_total", .counter, "HTTP connections that were accepted.")
        text.sample(counts.accepted)
        if let memory = Self.residentMemory {
            text.family("bulkhead_api_resident_memory_bytes", .gauge, "Memory of apid that is in use.")
            text.sample(memory)
        }
        return text.text
    }

    /// nil if the kernel does not say. Its line: `VmRSS:     12345 kB`.
    private static var residentMemory: UInt64? {
        guard let bytes = try? Posix.readFile("/proc/self/status", limit: 65_536) else { return nil }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let fields = line?.split(whereSeparator: \.isWhitespace), fields.count == 3 else { return nil }
        return UInt64(fields[1]).map { $0 * 1024 }
    }
}
