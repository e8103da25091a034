import Relaying
import Testing
import Wire

@Suite struct DemultiplexerTests {
    private struct Output: Equatable {
        var protocolBytes: [UInt8] = []
        var diagnostics: [UInt8] = []
    }

    private func frame(_ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [stream, 0, 0, 0, 0, 0, UInt8(payload.count >> 8), UInt8(payload.count & 255)] + payload
    }

    private func run(_ framing: StreamEdge.Framing, _ parts: [[UInt8]]) throws -> Output {
        var demultiplexer = Demultiplexer(framing)
        var output = Output()
        for part in parts {
            var position = 0
            while let piece = try demultiplexer.next(in: part, from: &position, to: part.count) {
                switch piece {
                case .protocolBytes(let range): output.protocolBytes += part[range]
                case .diagnostics(let range): output.diagnostics += part[range]
                }
            }
        }
        return output
    }

    @Test func everySplitGivesTheSame() throws {
        let stream =
            frame(1, [1, 2, 3]) + frame(2, Array("oops\n".utf8)) + frame(1, []) + frame(1, [4]) + frame(2, [7])
        let expected = Output(protocolBytes: [1, 2, 3, 4], diagnostics: Array("oops\n".utf8) + [7])
        for first in 0...stream.count {
            for second in first...stream.count {
                let parts = [stream[..<first], stream[first..<second], stream[second...]].map(Array.init)
                #expect(try run(.dockerMultiplexed, parts) == expected)
            }
        }
    }

    @Test func rawPassesEverything() throws {
        let bytes: [UInt8] = [9, 9, 9, 1, 0, 2]
        #expect(try run(.raw, [bytes, [], bytes]) == Output(protocolBytes: bytes + bytes))
    }

    @Test(arguments: [0, 1, 2, 3]) func aWrongHeaderIsRefused(place: Int) {
        var bytes = frame(1, [1])
        bytes[place] = 3
        #expect(throws: Demultiplexer.Violation.self) { try run(.dockerMultiplexed, [bytes]) }
    }

    @Test func aFrameMayBeLongerThanAnyBuffer() throws {
        let half: [UInt8] = [1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 5, count: 100)
        #expect(try run(.dockerMultiplexed, [half]).protocolBytes.count == 100)
    }
}

@Suite struct DiagnosticsTests {
    @Test func linesAreBounded() {
        var lines: [String] = []
        var diagnostics = Diagnostics { lines.append($0) }
        diagnostics.take(Array("one\ntw".utf8)[...])
        diagnostics.take(Array("o\n\n".utf8)[...])
        #expect(lines == ["one", "two"])
        for _ in 0..<1000 { diagnostics.take(([UInt8](repeating: 65, count: 10_000) + [10])[...]) }
        #expect(lines.count == 101)
        #expect(lines.allSatisfy { $0.utf8.count <= 256 })
    }
}
