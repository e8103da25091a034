// AuditFile: checks the audit log of bulkhead-brokerd with code of its own, so that a mistake in what wrote the log
// does not hide in what reads it. A line is `seq=1 time=... event=... prev=<hash of the line before> hash=<64 hex>`;
// the hash is the SHA-256 of the line up to ` hash=`, and `prev` of the first line is zeros.

import Foundation
import Orders
import Wire

package enum AuditFile {
    package struct Chain: Equatable {
        package let records: UInt64
        /// The hash of the last record; zeros if there is none.
        package let last: String
    }

    /// No record of brokerd is longer, in bytes.
    private static let lineLimit = 16_384

    /// Reads the whole file. Throws a `CommandFailure` that names the first line that is not as it was written.
    package static func verify(_ path: String) throws -> Chain {
        func unreadable(_ error: any Error) -> CommandFailure {
            CommandFailure(
                "cannot read \(path): \(CommandFailure.cause(of: error)); the log is audit.log in brokerd's state "
                    + "directory, and belongs to the broker's user", exit: .usage)
        }
        let file: FileHandle
        do { file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path)) } catch { throw unreadable(error) }
        var chain = Chain(records: 0, last: String(repeating: "0", count: 64))
        var rest = Data()
        while true {
            let part: Data
            do {
                guard let read = try file.read(upToCount: 65_536), !read.isEmpty else { break }
                part = read
            } catch {
                throw unreadable(error)
            }
            rest.append(part)
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                chain = try next(Array(rest[start..<end]), after: chain)
                start = rest.index(after: end)
            }
            rest = Data(rest[start...])
            if rest.count > lineLimit { throw broken(chain, "is longer than any record") }
        }
        guard rest.isEmpty else {
            throw broken(chain, "has no end: a crash tore it before anything was released, or the log was cut")
        }
        return chain
    }

    private static func next(_ line: [UInt8], after chain: Chain) throws -> Chain {
        let tail = " hash=".utf8.count + 64
        guard line.count > tail else { throw broken(chain, "is no record") }
        let hash = Hashes.sha256(Array(line.dropLast(tail))).hex
        guard line.suffix(tail).elementsEqual(Array(" hash=\(hash)".utf8)) else {
            throw broken(chain, "was changed: its hash is another")
        }
        let fields = String(decoding: line.dropLast(tail), as: UTF8.self).split(separator: " ")
        guard fields.last == "prev=\(chain.last)" else {
            throw broken(chain, "does not follow the one before: a record was changed, removed or added before it")
        }
        guard fields.first == "seq=\(chain.records + 1)" else { throw broken(chain, "has the wrong number") }
        return Chain(records: chain.records + 1, last: hash)
    }

    private static func broken(_ chain: Chain, _ what: String) -> CommandFailure {
        CommandFailure("the chain is broken: line \(chain.records + 1) \(what)", exit: .failure)
    }
}
