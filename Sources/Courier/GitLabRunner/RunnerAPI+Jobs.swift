// A job at GitLab: asked for, its log, its files, its end.

package import Exchange
import ForgeCalls

/// What a runner says of a job's state. The end is said with what the log has to be.
package enum JobUpdate: Equatable, Sendable {
    case running
    case final(FinalState, LogSummary)
}

/// The whole log in a few digits.
package struct LogSummary: Equatable, Sendable {
    package let crc: UInt32
    package let size: UInt64

    package init(crc: UInt32, size: UInt64) {
        self.crc = crc
        self.size = size
    }

    var json: JSONText {
        let digits = String(crc, radix: 16)
        let padded = String(repeating: "0", count: 8 - digits.utf8.count) + digits
        return .map([("checksum", .text("crc32:" + padded)), ("bytesize", .number(size))])
    }
}

extension RunnerAPI {
    /// More than any answer that is a job.
    package static let jobBytes: UInt64 = 4 << 20

    /// - Parameter lastUpdate: what GitLab said in its last answer; with it, the request may wait at the server.
    package func askForJob(lastUpdate: String?) -> RunnerRequest {
        withToken(
            .post, target.and("/jobs/request"), .runner,
            [
                ("info", info.json), ("system_id", .text(systemID.text)),
                ("last_update", lastUpdate.map(JSONText.text)),
            ])
    }

    /// What the next request says, from the headers of the last one; nil if it is not what we would send.
    package static func lastUpdate(_ answer: ExchangeAnswer) -> String? {
        guard let value = answer.header("x-gitlab-last-update"), (1...256).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return value
    }

    /// A piece of the log, which is not empty. A second time it is 416 or does nothing, so it may be sent again.
    package func patchTrace(_ job: UInt64, at offset: UInt64, _ bytes: [UInt8]) -> RunnerRequest {
        plain(
            .patch, target(job).and("/trace").query("debug_trace", "false"), .job(job),
            headers: [
                HeaderField("Content-Type", "text/plain"),
                // No unit, no total; the last byte is in it.
                HeaderField("Content-Range", "\(offset)-\(offset + UInt64(bytes.count) - 1)"),
            ], body: bytes, isRepeatable: true)
    }

    package func update(_ job: UInt64, _ update: JobUpdate) -> RunnerRequest {
        var body: [(String, JSONText?)] = [("info", info.json)]
        switch update {
        case .running: body.append(("state", .text("running")))
        case .final(let end, let log):
            body += [
                ("state", .text(end.isSuccess ? "success" : "failed")),
                ("failure_reason", end.reason.map(JSONText.text)),
                ("exit_code", end.exitCode.map { .number(UInt64($0)) }),
                ("output", log.json),
            ]
        }
        return withToken(.put, target(job), .job(job), body)
    }

    // MARK: artifacts

    /// A file of a job goes up: the request, and what stands in its body before and behind the file.
    /// - Parameter boundary: a text that the file does not hold: random, of 16 to 64 letters and digits.
    package func upload(
        _ job: UInt64, _ rule: ArtifactRule, fileName: String, boundary: String
    ) -> (request: RunnerRequest, head: [UInt8], tail: [UInt8]) {
        var place = target(job).and("/artifacts")
            .query("artifact_format", rule.format.rawValue).query("artifact_type", rule.type)
        if let expires = rule.expireIn { place = place.query("expire_in", expires) }
        // A name that would end the line, or be a path, is none.
        let name = String(
            decoding: fileName.utf8.prefix(200).map { byte -> UInt8 in
                let isPlain = (0x20...0x7E).contains(byte) && !Array("\"\\/%".utf8).contains(byte)
                return isPlain ? byte : UInt8(ascii: "_")
            }, as: UTF8.self)
        let head =
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n"
        let request = plain(
            .post, place, .job(job),
            headers: [
                HeaderField("Accept", "application/json"),
                HeaderField("Content-Type", "multipart/form-data; boundary=\(boundary)"),
            ],
            // The same file once more is taken for the first.
            isRepeatable: true)
        return (request, Array(head.utf8), Array("\r\n--\(boundary)--\r\n".utf8))
    }

    /// The archive of a job before this one, with its own token: GitLab may keep it elsewhere.
    package func download(_ dependency: Dependency) -> RunnerRequest {
        var place = target(dependency.id).and("/artifacts")
        if !stores.isEmpty { place = place.query("direct_download", "true") }
        return plain(
            .get, place, .job(dependency.id), headers: [HeaderField("Accept", "*/*")], redirects: stores)
    }
}

/// What an answer says beside its body of the job and of our manners.
package struct JobAnswer: Equatable, Sendable {
    /// What GitLab thinks of the job.
    package enum Status: Equatable, Sendable {
        case running
        /// Somebody has cancelled it; its last scripts may still run.
        case canceling
        /// It is over for GitLab, one way or another.
        case over(Over)
    }

    package enum Over: String, Sendable {
        case success
        case failed
        case canceled
        case skipped
        case other
    }

    package let status: Status?
    /// Bytes of the log that the server has.
    package let received: UInt64?
    /// Between two updates.
    package let interval: Duration?

    package init(_ answer: ExchangeAnswer) {
        status = answer.header("job-status").map { word in
            switch word {
            case "running", "pending": .running
            case "canceling": .canceling
            default: .over(Over(rawValue: word) ?? .other)
            }
        }
        received = answer.header("range").flatMap(Self.end)
        interval = answer.number("x-gitlab-trace-update-interval").map { .seconds(Int64(min(max($0, 1), 900))) }
    }

    /// `0-N`: so many.
    private static func end(_ range: String) -> UInt64? {
        let parts = range.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].elementsEqual("0".utf8), (1...15).contains(parts[1].count),
            parts[1].allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return UInt64(Substring(parts[1]))
    }
}
