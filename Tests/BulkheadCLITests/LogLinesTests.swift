// A log as JSON lines, wherever the network cut it.

import BulkheadCLI
import Foundation
import Testing

private struct Line: Decodable, Equatable {
    let job: UInt64
    let line: UInt64
    let text: String
    let continued: Bool?
}

private func read(_ parts: [Data]) throws -> [Line] {
    var lines = LogLines(job: 7)
    var output = Data()
    for part in parts { output.append(lines.add(part)) }
    output.append(lines.finish())
    return try output.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Line.self, from: $0) }
}

@Suite struct LogLinesTests {
    @Test func everyCutGivesTheSameLines() throws {
        let log = Data("eins\n\nzwei \"ü\" \u{1B}[1m\r\nlast".utf8)
        let whole = try read([log])
        #expect(whole.map(\.text) == ["eins", "", "zwei \"ü\" \u{1B}[1m\r", "last"])
        #expect(whole.map(\.line) == [1, 2, 3, 4])
        #expect(whole.allSatisfy { $0.job == 7 && $0.continued == nil })
        for cut in 0...log.count { #expect(try read([log.prefix(cut), log.dropFirst(cut)]) == whole) }
        #expect(try read(log.map { Data([$0]) }) == whole)
    }

    @Test func aLineWithoutEndDoesNotFillTheMemory() throws {
        let long = Data(repeating: UInt8(ascii: "x"), count: 3 * LogLines.limit + 5)
        let found = try read([long, Data("y\nz\n".utf8)])
        #expect(found.map(\.line) == [1, 1, 1, 1, 2])
        #expect(found.map(\.continued) == [true, true, true, nil, nil])
        #expect(found.dropLast().map(\.text).joined() == String(decoding: long, as: UTF8.self) + "y")
    }

    @Test func nothingIsNoLine() throws {
        #expect(try read([]) == [])
    }
}
