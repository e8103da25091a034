// The audit log's chain, as an independent reader sees it: every way of changing a log is found, with its line.

import BulkheadCLI
import Crypto
import Foundation
import Testing

@Suite struct AuditFileTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// Lines as brokerd writes them.
    private func lines(_ count: Int) -> [String] {
        var previous = String(repeating: "0", count: 64)
        return (0..<count).map { index in
            let line = "seq=\(index + 1) time=\(1_763_730_000_000 + index) event=grant job=\(index) prev=\(previous)"
            previous = SHA256.hash(data: Data(line.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return "\(line) hash=\(previous)"
        }
    }

    private func verify(_ lines: [String], end: String = "\n") throws -> AuditFile.Chain {
        try folder.write("audit.log", lines.joined(separator: "\n") + end)
        return try AuditFile.verify("\(folder.path)/audit.log")
    }

    @Test(arguments: [1, 2, 1000]) func aWholeLogIsCounted(_ count: Int) throws {
        let lines = lines(count)
        let chain = try verify(lines)
        #expect(chain.records == UInt64(count))
        #expect(lines.last?.hasSuffix(chain.last) == true)
    }

    @Test func anEmptyLogHasNoRecords() throws {
        #expect(try verify([], end: "").records == 0)
    }

    @Test(arguments: [
        ("changed", 3), ("removed", 3), ("first removed", 1), ("twice", 4), ("swapped", 3), ("hash only", 3),
        ("line added", 6), ("empty line", 3),
    ]) func aChangeIsFound(_ change: String, _ line: Int) throws {
        var lines = lines(5)
        switch change {
        case "changed": lines[2] = lines[2].replacingOccurrences(of: "job=2", with: "job=7")
        case "removed": lines.remove(at: 2)
        case "first removed": lines.remove(at: 0)
        case "twice": lines.insert(lines[2], at: 3)
        case "swapped": lines.swapAt(2, 3)
        case "hash only": lines[2] = String(lines[2].dropLast()) + (lines[2].hasSuffix("0") ? "1" : "0")
        case "line added": lines.append("seq=6 time=1 event=grant")
        default: lines.insert("", at: 2)
        }
        let failure = #expect(throws: CommandFailure.self) { try verify(lines) }
        #expect(failure?.description.contains("line \(line) ") == true, "\(failure?.description ?? "")")
    }

    @Test func aTornEndIsFound() throws {
        let failure = #expect(throws: CommandFailure.self) { try verify(lines(3), end: "") }
        #expect(failure?.description.contains("line 3 has no end") == true)
    }

    @Test func aFileThatIsNotThereIsSaid() {
        #expect(throws: CommandFailure.self) { try AuditFile.verify("\(folder.path)/none") }
    }
}
