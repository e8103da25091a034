// What a person is told when no answer comes: nobody is there, or somebody was and the connection broke. Then the
// request may have been carried out all the same, and what to do next depends on what it asked for.

package import Foundation

extension CommandFailure {
    /// `wasSent`: this request, or the same one before it, may have reached the server.
    package init(_ failure: HTTPFailure, of request: HTTPRequest, at base: URL, wasSent: Bool) {
        guard wasSent else {
            self.init(
                "cannot reach \(base): \(failure); start it with `bulkhead up`, or set BULKHEAD_URL", exit: .unavailable
            )
            return
        }
        self.init(
            "the connection to \(base) broke before the whole answer was here (\(failure)): \(Self.next(request)); "
                + "if that does not work, see whether `bulkhead up` or bulkhead-apid still runs", exit: .unavailable)
    }

    private static func next(_ request: HTTPRequest) -> String {
        if let key = request.headers["Idempotency-Key"] {
            return
                "whether the job is queued is not known; submit it again with --request-id \(Terminal.printable(key)), "
                + "and there will be one of it"
        }
        if request.method == "GET" { return "this only asked and changed nothing; try it again" }
        if request.url.hasSuffix("/sources") { return "no job is submitted; submit it again" }
        return "whether it is done is not known; look first, then try it again"
    }
}
