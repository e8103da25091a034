// Reading only what is wanted of a document: the rest is checked, and leaves nothing.

import Documents
import Testing

struct JSONShapeTests {
    private func read(_ text: String, _ paths: [String], text limit: Int = 64) throws -> String {
        let bounds = JSONReader.Bounds(depth: 8, values: 16, text: limit)
        return Self.shown(try JSONReader.document(Array(text.utf8), bounds: bounds, keeping: JSONShape(paths)))
    }

    private static func shown(_ value: SpecValue) -> String {
        switch value.content {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .string(let text): "'\(text)'"
        case .list(let items): "[\(items.map(shown).joined(separator: " "))]"
        case .map(let entries): "{\(entries.map { "\($0.key):\(shown($0.value))" }.joined(separator: " "))}"
        }
    }

    @Test func onlyWhatIsWanted() throws {
        let text = #"{"a":{"b":1,"c":[{"b":2}],"d":"x"},"b":9,"e":[1,{"a":1}],"f":{"g":null,"h":{"a":1}}}"#
        #expect(try read(text, ["a.b", "f.g"]) == "{a:{b:1} f:{g:null}}")
        #expect(try read(text, ["a", "a.d", "e", "f.h", "z"]) == "{a:{d:'x'} e:[] f:{h:{}}}")
        #expect(try read(text, ["e.a", "b.c"]) == "{b:9 e:[]}")
        #expect(try read("[1]", ["a"]) == "[]")
    }

    @Test func whatIsPassedOverIsChecked() {
        for text in [#"{"x":01}"#, #"{"x":"\ud800"}"#, #"{"x":[1,]}"#, #"{"x":"}"#, #"{"x":nul}"#, "{\"x\":\"\u{1}\"}"]
        {
            #expect(throws: JSONReader.Refused.self, "\(text)") { try read(text, ["a"]) }
        }
        let digits = String(repeating: "9", count: 65)
        #expect(throws: JSONReader.Refused.self) { try read("{\"x\":\(digits)}", ["a"]) }
        #expect(throws: JSONReader.Refused.tooDeep(Place(line: 1, column: 13))) {
            try read(#"{"x":[[[[[[[[]]]]]]]]}"#, ["a"])
        }
    }

    @Test func onlyWhatIsKeptIsCounted() throws {
        let many = Array(repeating: "{\"a\":0}", count: 1_000).joined(separator: ",")
        #expect(try read("{\"x\":[\(many)],\"a\":[\(many)],\"b\":1}", ["a", "b"]) == "{a:[] b:1}")
        let long = String(repeating: "y", count: 65)
        #expect(try read("{\"x\":{\"\(long)\":\"\(long)\"},\"z\":\"\(long)\"}", ["a"]) == "{}")
        #expect(throws: JSONReader.Refused.tooLong(Place(line: 1, column: 6))) {
            try read("{\"a\":\"\(long)\"}", ["a"])
        }
    }

    @Test func aWantedKeyIsThereOnce() throws {
        let twice = JSONReader.Refused.twice(Place(line: 1, column: 8))
        for key in ["a", "A", "\\u0061", "\\u0041"] {
            #expect(throws: twice, "\(key)") { try read("{\"a\":1,\"\(key)\":2}", ["a", "b"]) }
        }
        // Also when it is alone: another reader might take it.
        #expect(throws: JSONReader.Refused.twice(Place(line: 1, column: 2))) { try read(#"{"A":1}"#, ["a"]) }
        #expect(try read(#"{"x":{"a":1,"a":2},"y":1,"y":2,"a":3}"#, ["a"]) == "{a:3}")
        #expect(try read(#"{"\u0061":1}"#, ["a"]) == "{a:1}")
    }
}
