// Schemas that parse and yet make no sense.

import Testing
import WireSchema

@Suite struct CheckerTests {
    /// A call that uses A, so that A is not reported as unused; declarations follow from line 13.
    static let uses =
        Repository.head + """
            call Use = 1 from client in attached {
                request { a: A }
                reply { }
            }

            """

    static let senseless: [BadSchema] = [
        BadSchema(uses + "struct A {\n b: B\n}", 14, "there is no type B"),
        BadSchema(uses + "struct A {\n b: u8\n b: u8\n}", 15, "field b stands twice"),
        BadSchema(uses + "struct A {\n b: A\n}", 13, "A contains itself"),
        BadSchema(uses + "struct A {\n b: list<B><0..1>\n}\nstruct B {\n a: option<A>\n}", 13, "A contains itself"),
        BadSchema(uses + "union A: u8 {\n b = 1: B\n}\nstruct B {\n a: A\n}", 13, "A contains itself"),
        BadSchema(uses + "struct A {\n b: bytes[20]\n}", 14, "only bytes[16] and bytes[32]"),
        BadSchema(uses + "struct A {\n b: text<5..4>\n}", 14, "in the wrong order"),
        BadSchema(uses + "struct A {\n b: bytes<0..0>\n}", 14, "leave the field out"),
        BadSchema(uses + "struct A {\n b: bytes<0..1048577>\n}", 14, "above 1048576"),
        BadSchema(uses + "struct A {\n b: list<u8><0..65536>\n}", 14, "above 65535"),
        BadSchema(uses + "struct A {\n b: list<option<u8>><0..1>\n}", 14, "put a struct between"),
        BadSchema(uses + "struct A {\n b: option<list<u8><0..1>>\n}", 14, "put a struct between"),
        BadSchema(uses + "struct A {\n b: fd<file_read>\n}", 14, "a descriptor stands only directly"),
        BadSchema(uses + "struct A {\n b: option<fd<file_read>>\n}", 14, "a descriptor stands only directly"),
        BadSchema(uses + "struct A {\n b: Use\n}", 14, "Use is a message, not a type"),
        BadSchema(uses + "enum A: u8 {\n}", 13, "A has no cases"),
        BadSchema(uses + "enum A: u8 {\n a = 0\n}", 14, "value 0 is outside 1...255"),
        BadSchema(uses + "enum A: u8 {\n a = 256\n}", 14, "value 256 is outside 1...255"),
        BadSchema(uses + "enum A: u8 {\n a = 1\n b = 1\n}", 15, "value 1 stands twice"),
        BadSchema(uses + "enum A: u8 {\n a = 1\n a = 2\n}", 15, "case a stands twice"),
        BadSchema(uses + "union A: u8 {\n a = 1: Role\n}", 14, "the payload of a is not a struct"),
        BadSchema(uses + "struct A {\n}\nstruct A {\n}", 15, "declaration A stands twice"),
        BadSchema(uses + "struct A {\n}\nstruct B {\n}", 15, "B is used nowhere"),
        BadSchema(uses + "struct A {\n}\nenum Role: u8 {\n a = 1\n}", 15, "Role is already declared in a shared file"),
        BadSchema(uses + "struct A {\n}\nmessage M = 9 {\n}", 15, "message belongs into link.wire"),
        BadSchema(
            uses + "struct A {\n}\ncall B = 1 from client in working {\n request {}\n reply {}\n}", 15,
            "message number 1 stands twice"),
        BadSchema(
            uses + "struct A {\n}\ncall B = 0 from client in working {\n request {}\n reply {}\n}", 15,
            "message number 0 is outside"),
        BadSchema(
            uses + "struct A {\n}\ncall B = 2 from client in resting {\n request {}\n reply {}\n}", 15,
            "there is no phase resting"),
        BadSchema(
            uses + "struct A {\n}\ncall B = 2 since 1 from client in working {\n request {}\n reply {}\n}", 15,
            "since 1 is above the edge's version 1.0"),
        BadSchema(
            uses + "struct A {\n}\ncall B = 2 from client in working {\n request {}\n reply {\n f: fd<disk>\n}\n}", 18,
            "there is no descriptor kind disk"),
        BadSchema(
            uses + "struct A {\n}\nstream B = 2 from client in attached -> working {\n request {}\n item {}\n}", 15,
            "only a call changes the phase"),
        BadSchema("use job\n" + uses + "struct A {\n}", 1, "use job: an edge can use types"),
        BadSchema(uses.replacing("client apid", with: "client nobody") + "struct A {\n}", 1, "there is no role nobody"),
        BadSchema(uses.replacing("65536", with: "1048577") + "struct A {\n}", 1, "limit 1048577 is outside"),
        BadSchema(uses.replacing("number 9", with: "number 256") + "struct A {\n}", 1, "edge number 256 is outside"),
        BadSchema(
            uses.replacing("attached working", with: "attached attached") + "struct A {\n}", 1,
            "phase attached stands twice"),
    ]

    @Test(arguments: senseless)
    func refusedByTheChecker(_ bad: BadSchema) throws {
        let problems = #expect(throws: SchemaProblems.self) { try Repository.schema(edge: bad.text) }
        let found = problems?.problems.contains { $0.line == bad.line && $0.message.contains(bad.message) }
        #expect(found == true, "\(String(describing: problems))")
    }

    /// Without this, a checker that refuses everything would pass the table above.
    @Test func theBasisOfTheTableIsGood() throws {
        let set = try Repository.schema(edge: Self.uses + "struct A {\n b: Role\n}")
        #expect(set.edges.count == 1)
    }

    @Test func allMistakesAtOnce() throws {
        let text = Self.uses + "struct A {\n b: B\n c: C\n}"
        let problems = #expect(throws: SchemaProblems.self) { try Repository.schema(edge: text) }
        #expect(problems?.problems.map(\.line) == [14, 15])
    }

    @Test func sharedFilesAreChecked() throws {
        let edge = Self.uses + "struct A {\n}"
        #expect(throws: SchemaProblems.self) {
            try Repository.schema(edge: edge, types: "types\ncall B = 1 from client in x { request {} reply {} }")
        }
        #expect(throws: SchemaProblems.self) { try Repository.schema(edge: edge, types: "types\nstruct S { s: S }") }
        let files = [
            try Parser.parse(name: "types", bytes: Array("types".utf8)),
            try Parser.parse(name: "link", bytes: try Repository.wire("link")),
            try Parser.parse(name: "errors", bytes: Array("errors\na = 1 never \"x\"\nb = 1 soon \"y\"".utf8)),
        ]
        let problems = #expect(throws: SchemaProblems.self) { try SchemaSet(files: files) }
        #expect(problems?.problems.map(\.line) == [3, 3])
    }
}
