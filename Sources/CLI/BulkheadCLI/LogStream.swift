// LogStream: a job's log as it grows. It keeps count of the bytes, so that a connection that was lost is taken up again
// where it broke: nothing is printed twice, nothing is left out.

import Foundation
import FoundationNetworking

/// Copies a log to standard output, following it if asked.
struct LogStream: Sendable {
    let client: APIClient
    let job: UInt64

    /// Prints the log; with `follow`, until the job is finished.
    func copy(follow: Bool) async throws {
        var offset: UInt64 = 0
        var failures = 0
        while true {
            var request = try client.request("GET", "/jobs/\(job)/log", query: follow ? ["follow": "1"] : [:])
            request.timeoutInterval = 7 * 86400
            request.setValue("text/plain", forHTTPHeaderField: "Accept")
            if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
            let transfer = LogTransfer(client: client)
            let before = offset
            do {
                offset += try await transfer.run(request)
                return
            } catch let broken as LogTransfer.Broken {
                offset += broken.received
                failures = offset > before ? 1 : failures + 1
                guard follow, failures <= 10 else { throw client.unreachable(broken.cause) }
                try await Task.sleep(for: .milliseconds(min(2000, 100 << failures)))
            }
        }
    }
}

/// One HTTP transfer of a log, straight to standard output.
private final class LogTransfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    /// The connection broke after `received` bytes had been printed.
    struct Broken: Error {
        let received: UInt64
        let cause: URLError
    }

    // URLSession calls the delegate on one serial queue, so these need no lock.
    private let client: APIClient
    private var received: UInt64 = 0
    private var refusal = Data()
    private var response: URLResponse?
    private var continuation: CheckedContinuation<UInt64, any Error>?

    init(client: APIClient) {
        self.client = client
    }

    func run(_ request: URLRequest) async throws -> UInt64 {
        let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        return try await withCheckedThrowingContinuation { continuation in
            self.continuation = continuation
            session.dataTask(with: request).resume()
        }
    }

    private var isLog: Bool {
        (response as? HTTPURLResponse).map { $0.statusCode == 200 || $0.statusCode == 206 } ?? false
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        self.response = response
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if isLog {
            received += UInt64(data.count)
            Terminal.write(data, to: .standardOutput)
        } else if refusal.count < 65536 {
            refusal.append(data)
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let continuation else { return }
        self.continuation = nil
        if let error {
            let cause = error as? URLError ?? URLError(.unknown)
            continuation.resume(throwing: Broken(received: received, cause: cause))
        } else if (response as? HTTPURLResponse)?.statusCode == 416 {
            // The rest after the last byte: there is none.
            continuation.resume(returning: 0)
        } else if let response, !isLog {
            do {
                try client.check(response, refusal)
                continuation.resume(returning: 0)
            } catch {
                continuation.resume(throwing: error)
            }
        } else {
            continuation.resume(returning: received)
        }
    }
}
