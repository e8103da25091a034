// Good and bad schemas. A bad one is refused with the line of the mistake: who changes the protocol reads it.

import Testing
import WireSchema

@Suite struct ParserTests {
    @Test func everyFormOfDeclaration() throws {
        let text =
            Repository.head + """
                enum Colour: u16 {
                    red = 1
                    dark_blue = 500
                }
                # About the pair.
                struct Pair {
                    colour: Colour
                    # A comment of the field.
                    bytes: bytes<0..70000>
                }
                struct Other {
                    id: bytes[32]
                }
                union Either: u8 {
                    pair = 1: Pair
                    other = 2: Other
                }
                call Ask = 7 from server in attached, working -> working {
                    request { list: list<Either><1..3> on: bool }
                    reply { file: fd<file_read> maybe: option<i64> }
                }
                """
        let set = try Repository.schema(edge: text)
        let edge = try #require(set.edges.first)
        #expect(edge.edge?.phases == ["attached", "working"])
        let pair = try #require(edge.declarations.first { $0.name == "Pair" })
        #expect(pair.documentation == ["About the pair."])
        #expect(pair.canonical == "struct Pair { colour : Colour bytes : bytes < 0 .. 70000 > }")
        guard case .structure(let fields) = pair.body else {
            throw SchemaError(file: "", line: 0, message: "no struct")
        }
        #expect(fields.map(\.documentation) == [[], ["A comment of the field."]])
        let ask = try #require(edge.operations.first?.operation)
        #expect(ask.number == 7 && ask.from == "server" && ask.next == "working" && !ask.isStream)
        #expect(EncodedSize.of(ask.answer, in: set.visible(in: edge)) == EncodedSize(least: 1, most: 9))
        // A count, a tag, the smaller payload (an enum and an empty bytes with a long length), a bool.
        #expect(EncodedSize.of(ask.request, in: set.visible(in: edge)).least == 2 + 1 + (2 + 4) + 1)
    }

    static let unparsable: [BadSchema] = [
        BadSchema("", 1, "expected types, link, errors or edge, found the end of the file"),
        BadSchema("tpyes\n", 1, "expected types, link, errors or edge, found tpyes"),
        BadSchema("types\nenum A: u8 { one = 1 }\nstrukt B { }", 3, "found strukt"),
        BadSchema("types\nenum a: u8 { one = 1 }", 2, "in UpperCamelCase, found a"),
        BadSchema("types\nenum A: u64 { one = 1 }", 2, "an enum is u8, u16 or u32, not u64"),
        BadSchema("types\nenum A: u8 {\n One = 1 }", 3, "in lower_case, found One"),
        BadSchema("types\nenum A: u8 {\n a_ = 1 }", 3, "in lower_case, found a_"),
        BadSchema("types\nenum A: u8 {\n one = x }", 3, "expected a number, found x"),
        BadSchema("types\nenum A: u8 {\n one = 01 }", 3, "no leading zero"),
        BadSchema("types\nenum A: u8 {\n one = 4294967296 }", 3, "above 4294967295"),
        BadSchema("types\nstruct A {\n  a: u128\n}", 3, "u128 is not a type"),
        BadSchema("types\nstruct A {\n  a: f64\n}", 3, "f64 is not a type"),
        BadSchema("types\nstruct A {\n  a u8\n}", 3, "expected :, found u8"),
        BadSchema("types\nstruct A {\n  a: text\n}", 4, "expected <, found }"),
        BadSchema("types\nstruct A {\n  a: text<1.2>\n}", 3, "expected .., found ."),
        BadSchema("types\nstruct A {\n  a: list<u8>\n}", 4, "expected <, found }"),
        BadSchema("types\nstruct A {\n", 3, "found the end of the file"),
        BadSchema("types\nunion A: u16 { a = 1: B }", 2, "expected u8, found u16"),
        BadSchema("types\nunion A: u8 {\n a = 1 }", 3, "expected :, found }"),
        BadSchema("types\n; struct A {}", 2, "unexpected byte 0x3b"),
        BadSchema("types\n\tstruct A {}", 2, "unexpected byte 0x9"),
        BadSchema("types\r\n", 1, "unexpected byte 0xd"),
        BadSchema("errors\na = 1 never bare", 2, "expected a string, found bare"),
        BadSchema("errors\na = 1 never \"open\n", 2, "a string is printable ASCII"),
        BadSchema("edge other {\n number 1 }", 1, "the edge in test.wire is called test"),
        BadSchema("edge test {\n version 1.0", 2, "expected number, found version"),
        BadSchema("edge test {\n number 1\n version 1", 3, "expected ., found the end of the file"),
        BadSchema(
            Repository.head + "call A = 1 from nobody in attached {", 9, "expected client or server, found nobody"),
        BadSchema(
            Repository.head + "call A = 1 from client in attached {\n reply {", 10, "expected request, found reply"),
        BadSchema(
            Repository.head + "call A = 1 from client in attached {\n request {}\n item {", 11,
            "expected reply, found item"),
        BadSchema(
            Repository.head + "stream A = 1 from client in attached {\n request {}\n reply {", 11,
            "expected item, found reply"),
    ]

    @Test(arguments: unparsable)
    func refusedByTheParser(_ bad: BadSchema) throws {
        let error = #expect(throws: SchemaError.self) {
            try Parser.parse(name: "test", bytes: Array(bad.text.utf8))
        }
        #expect(error?.line == bad.line)
        #expect(error?.message.contains(bad.message) == true, "\(String(describing: error))")
        #expect(error?.description.hasPrefix("test.wire:\(bad.line): ") == true)
    }

    @Test func aCommentThatIsNotUTF8() {
        #expect(throws: SchemaError(file: "test.wire", line: 2, message: "a comment is not UTF-8")) {
            try Parser.parse(name: "test", bytes: Array("types\n# ".utf8) + [0xff])
        }
    }
}
