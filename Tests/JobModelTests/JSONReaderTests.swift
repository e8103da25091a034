// The reader of JSON bodies by itself, against Foundation's: what one takes the other takes, and they read the same.

import Documents
import Foundation
import JobModel
import Testing

struct JSONReaderTests {
    /// As apid reads it.
    private static func document(_ bytes: [UInt8]) throws -> SpecValue {
        try JSONReader.document(
            bytes, bounds: .init(depth: JobFile.Bounds.depth, values: JobFile.Bounds.values))
    }

    private static let good = [
        "0", "-0", "12", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "1.5", "-1.5e3", "2E+2",
        "1e-2", "true", "false", "null", "\"\"", "[]", "{}", " [ ] ", "\t{\r\n}\n", "[1,[2,[3]]]",
        #"{"a":{"b":[null]}}"#,
        #""a\"\\\/\b\f\n\r\t""#, #""\u0041\u00e4\u20ac\ud83d\ude00\u0000""#, "\"ä€😀\"", #"{"ä":1}"#, "[1 , 2\n]",
        #"[true,false,null,"x",{"y":0.25}]"#,
    ]

    private static let bad = [
        "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
        "{a:1}", "{1:2}", "{\"a\" 1}", "01", "-", "-a", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "1e999", "NaN",
        "Infinity", "tru", "nul", "True", "\"", "\"a", "\"\\", "\"\\\"", #""\x""#, #""\u12""#, #""\u12g4""#,
        #""\ud800""#, #""\ud800x""#, #""\ud800\n""#, #""\ud800\u0041""#, #""\udc00""#, "\"\n\"", "\"\t\"", "\"\u{1}\"",
        "'a'",
        "[] []", "1 1", "{} x", "/**/1", "\u{FEFF}1", "\u{A0}1", "[1]]",
    ]

    /// As Foundation reads it; nil if it does not.
    private static func foundation(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    private static func isSame(_ value: SpecValue, _ other: Any) -> Bool {
        switch value.content {
        case .null: other is NSNull
        case .bool(let flag): (other as? Bool) == flag
        case .integer(let number): (other as? NSNumber)?.int64Value == number
        case .float(let number):
            // Foundation rounds twice where there are more digits than a Double has.
            (other as? NSNumber).map { abs($0.doubleValue - number) <= abs(number) * 1e-14 } ?? false
        case .string(let text): (other as? String).map { $0.unicodeScalars.elementsEqual(text.unicodeScalars) } ?? false
        case .list(let items):
            (other as? [Any]).map { $0.count == items.count && zip(items, $0).allSatisfy(isSame) } ?? false
        case .map(let entries):
            (other as? [String: Any]).map { map in
                map.count == Set(entries.map(\.key)).count
                    && map.allSatisfy { key, value in entries.contains { $0.key == key && isSame($0.value, value) } }
            } ?? false
        }
    }

    @Test(arguments: good) func isRead(_ text: String) throws {
        let bytes = Array(text.utf8)
        #expect(Self.isSame(try Self.document(bytes), try #require(Self.foundation(bytes))))
    }

    @Test(arguments: bad) func isRefused(_ text: String) {
        #expect(throws: JSONReader.Refused.self) { try Self.document(Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0xFF], [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
        ] as [[UInt8]]) func isNotUTF8(_ bytes: [UInt8])
    {
        #expect(throws: JSONReader.Refused.self) { try Self.document(bytes) }
    }

    /// Documents with a few bytes changed: whatever is read is what Foundation reads.
    @Test func mutantsAreReadAlike() throws {
        var state: UInt64 = 0x5EED
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let letters = Array(#"{}[]",:\u0123456789eE+-.tfnalrs "#.utf8) + [0, 10, 0xC3, 0xA4, 0xFF]
        var read = 0
        for round in 0..<20_000 {
            var bytes = Array(Self.good[round % Self.good.count].utf8)
            for _ in 0...random(3) {
                let at = random(bytes.count + 1)
                switch random(3) {
                case 0: bytes.insert(letters[random(letters.count)], at: at)
                case 1 where at < bytes.count: bytes[at] = letters[random(letters.count)]
                case 2 where at < bytes.count: bytes.remove(at: at)
                default: break
                }
            }
            guard let value = try? Self.document(bytes) else { continue }
            read += 1
            let text = String(decoding: bytes, as: UTF8.self)
            guard let other = Self.foundation(bytes) else {
                Issue.record("only this reader takes \(text)")
                continue
            }
            #expect(Self.isSame(value, other), "\(text)")
        }
        // Otherwise nothing was compared.
        #expect(read > 2_000)
    }

    @Test func everythingHasItsPlace() throws {
        let document = try Self.document(Array("{\"ä\": [1,\n  \"€\", {\"b\" : null}]}".utf8))
        #expect(document.place == Place(line: 1, column: 1))
        guard case .map(let entries) = document.content, case .list(let items) = entries[0].value.content,
            case .map(let inner) = items[2].content
        else {
            Issue.record("\(document)")
            return
        }
        #expect(entries[0].place == Place(line: 1, column: 2) && entries[0].value.place == Place(line: 1, column: 7))
        #expect(
            items.map(\.place) == [.init(line: 1, column: 8), .init(line: 2, column: 3), .init(line: 2, column: 8)])
        #expect(inner[0].place == Place(line: 2, column: 9) && inner[0].value.place == Place(line: 2, column: 15))
        #expect(throws: JSONReader.Refused.syntax("',' or ']' is expected", Place(line: 2, column: 3))) {
            try Self.document(Array("[1,\n2 3]".utf8))
        }
    }

    @Test func bothOfTwoAreKept() throws {
        let document = try Self.document(Array(#"{"a": 1, "a": 2}"#.utf8))
        guard case .map(let entries) = document.content else {
            Issue.record("\(document)")
            return
        }
        #expect(entries.map(\.value.content) == [.integer(1), .integer(2)])
    }

    @Test func bounds() {
        func list(_ count: Int) -> [UInt8] {
            Array("[\(Array(repeating: "0", count: count).joined(separator: ","))]".utf8)
        }
        func deep(_ levels: Int) -> [UInt8] {
            Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
        }
        #expect(throws: Never.self) { try Self.document(list(1_999)) }
        #expect(throws: JSONReader.Refused.tooMany) { try Self.document(list(2_000)) }
        #expect(throws: Never.self) { try Self.document(deep(16)) }
        #expect(throws: JSONReader.Refused.tooDeep(Place(line: 1, column: 17))) { try Self.document(deep(17)) }
        #expect(throws: JSONReader.Refused.self) { try Self.document([UInt8](repeating: 57, count: 65)) }
    }
}
