// Secrets too short to be masked: their owner is told.

import BulkheadCLI
import Foundation
import Testing

@Suite struct UnmaskedValueTests {
    @Test(arguments: [
        ("a", "1 byte,"), ("abc", "3 bytes,"), ("abc\n", "3 bytes before its line end,"), ("\r\n", "0 bytes"),
    ])
    func isTold(_ value: String, _ says: String) {
        let warning = UnmaskedValue.warning(of: Array(value.utf8), name: "pin") ?? ""
        #expect(warning.hasPrefix("warning: pin has \(says)") && warning.contains("fewer than 4 are not masked"))
        #expect(warning.hasSuffix("set a longer one") && !warning.contains("abc"))
    }

    @Test(arguments: ["abcd", "abcd\n", "a\nbc", String(repeating: "x", count: 8192)]) func isMasked(_ value: String) {
        #expect(UnmaskedValue.warning(of: Array(value.utf8), name: "pin") == nil)
    }

    /// The masker is no part of this program, so the two numbers are held together here.
    @Test func theNumberIsTheMaskers() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let masker = root.appendingPathComponent("Sources/Relay/Masker/Patterns.swift")
        let text = try String(contentsOf: masker, encoding: .utf8)
        #expect(text.contains("static let leastValue = \(UnmaskedValue.leastMasked)\n"))
    }
}
