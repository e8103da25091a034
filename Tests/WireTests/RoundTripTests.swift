// Random values of every message go through the decoders and come back as the same bytes; random damage never does
// anything but a WireError.

import Foundation
import Testing
import Wire
import WireSchema

@Suite struct RoundTripTests {
    /// WIRE_TEST_SEED repeats a run; the seed stands in every failure.
    static let seed =
        ProcessInfo.processInfo.environment["WIRE_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)

    @Test func randomValuesOfEveryMessage() throws {
        try forEachBody(times: 40) { entry, body, note in
            #expect(throws: Never.self, note) { try entry.recode(body[...]) }
        }
    }

    @Test func damagedValuesAreRefusedOrCanonical() throws {
        var random = SeededGenerator(seed: Self.seed)
        try forEachBody(times: 40) { entry, body, note in
            var damaged = body
            if damaged.isEmpty { return }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<damaged.count, using: &random)
                damaged[at] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                try entry.recode(damaged[...])
            } catch is WireError {
                // Refused: as it should be for most damage.
            } catch {
                Issue.record(error, note)
            }
        }
    }

    private func forEachBody(times: Int, _ body: (CatalogueEntry, [UInt8], Comment) throws -> Void) throws {
        let set = try Workspace(root: Repository.root).set
        var count = 0
        for edge in set.edges {
            var maker = ValueMaker(scope: set.visible(in: edge), random: SeededGenerator(seed: Self.seed))
            for entry in allMessages where entry.edge == edge.name {
                let fields = try #require(Self.fields(entry, edge, set))
                for _ in 0..<times {
                    let bytes = maker.body(fields)
                    try body(entry, bytes, "\(entry.edge) \(entry.kind) \(entry.type), WIRE_TEST_SEED=\(Self.seed)")
                    count += 1
                }
            }
        }
        #expect(count >= times * 100)
    }

    private static func fields(_ entry: CatalogueEntry, _ edge: SchemaFile, _ set: SchemaSet) -> [Field]? {
        func control(_ name: String) -> [Field]? {
            let found = set.link.declarations.first { $0.name == name }
            if case .message(_, let fields) = found?.body { return fields }
            return nil
        }
        if entry.kind == .control {
            let message = set.link.declarations.first {
                if case .message(let number, _) = $0.body { number == UInt64(entry.type) } else { false }
            }
            return message.flatMap { control($0.name) }
        }
        let operation = edge.operations.first { $0.operation.number == UInt64(entry.type) }?.operation
        switch entry.kind {
        case .request: return operation?.request
        case .reply, .item: return operation?.answer
        case .error: return control("Failure")
        case .end: return []
        case .control: return nil
        }
    }
}
