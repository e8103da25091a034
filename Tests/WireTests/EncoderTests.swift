// The encoder refuses what the peer's reader would refuse; the small types do what they say.

import Testing
import Wire

@Suite struct EncoderTests {
    @Test func boundsAreCheckedWhenEncoding() {
        let stream = { (pending: Int) in
            StreamEdge.TakeStream(runner: .random(), framing: .raw, pending: Array(repeating: 1, count: pending))
        }
        #expect(throws: WireError.outOfBounds("StreamEdge.TakeStream.pending")) { try stream(2049).encoded() }
        #expect(throws: Never.self) { try stream(2048).encoded() }
        #expect(throws: WireError.nulInText) { try Goodbye(code: 1, text: "a\0b").encoded() }
        #expect(throws: WireError.outOfBounds("Goodbye.text")) {
            try Goodbye(code: 1, text: String(repeating: "ü", count: 257)).encoded()
        }
        let steps = Array(
            repeating: Step(
                name: "s", run: "r", timeoutSeconds: 0, continueOnError: false, untrusted: false, when: .onSuccess,
                secrets: []),
            count: 33)
        let resources = Resources(cpuMillis: 1, memoryBytes: 1, pids: 1, diskBytes: 1)
        let shape = RunnerShape(
            image: "i", platform: .linuxAmd64, profile: .strict, resources: resources, untrustedSteps: false, gpus: nil)
        for bad in [[], steps] {
            let spec = JobSpec(
                name: "n", shape: shape, timeoutSeconds: 1, silenceSeconds: 0, env: [], steps: bad, artifacts: [])
            #expect(throws: WireError.outOfBounds("JobSpec.steps")) { try spec.encoded() }
        }
    }

    @Test func aCountThatTheRestCannotHoldMakesNoRoom() {
        // 1024 runners announced, none there.
        #expect(throws: WireError.truncated) { try SpawnerEdge.ListRunners.Reply.decoded([4, 0]) }
    }

    @Test func aSliceDecodesWhereItStands() throws {
        let bytes: [UInt8] = [9, 9, 0, 5, 0, 1, 97, 9]
        #expect(try Goodbye.decoded(bytes[2..<7]) == Goodbye(code: 5, text: "a"))
        #expect(throws: WireError.trailingBytes) { try Goodbye.decoded(bytes[2..<8]) }
        #expect(throws: WireError.truncated) { try Goodbye.decoded(bytes[2..<6]) }
    }

    @Test func equalStringsOfOtherBytesStayOtherBytes() throws {
        let composed = try Goodbye(code: 1, text: "\u{e9}").encoded()
        let decomposed = try Goodbye(code: 1, text: "e\u{301}").encoded()
        #expect(composed != decomposed)
        #expect(try Goodbye.decoded(decomposed).encoded() == decomposed)
    }

    @Test func headerLimits() throws {
        let header = FrameHeader(type: 1, kind: .request, requestID: 1, bodyLength: 4081)
        var writer = WireWriter()
        #expect(throws: WireError.frameTooLarge(4097)) { try header.encode(to: &writer, limit: 4096) }
        #expect(writer.bytes.isEmpty)
        try FrameHeader(type: 1, kind: .request, requestID: 1, bodyLength: 4080).encode(to: &writer, limit: 4096)
        #expect(writer.bytes.count == FrameHeader.size)
        var reader = WireReader([255, 255, 255, 255])
        #expect(throws: WireError.frameTooLarge(.max)) { try FrameHeader(from: &reader, limit: 4096) }
    }

    @Test func sixteenAndThirtyTwoBytes() throws {
        let bytes = (0..<32).map { UInt8($0 * 7) }
        let small = try #require(Bytes16(bytes: Array(bytes[..<16])))
        let large = try #require(Bytes32(bytes: bytes))
        #expect(small.array == Array(bytes[..<16]) && large.array == bytes)
        #expect(small.hex == "00070e151c232a31383f464d545b6269" && Bytes16(hex: small.hex) == small)
        #expect(large.hex.count == 64 && Bytes32(hex: large.hex) == large && large.description == large.hex)
        #expect(Bytes16(bytes: bytes) == nil && Bytes32(bytes: []) == nil)
        for bad in ["", "0", small.hex.uppercased(), small.hex + "00", String(small.hex.dropLast()) + "g", large.hex] {
            #expect(Bytes16(hex: bad) == nil, "\(bad)")
        }
        #expect(Bytes16.random() != Bytes16.random() && Bytes32.random() != Bytes32.random())
    }

    @Test func errorCodes() {
        #expect(ErrorCode.imageMissing.rawValue == 41 && ErrorCode.imageMissing.name == "image_missing")
        #expect(ErrorCode.imageMissing.retry == .fix && ErrorCode.disconnected.retry == .later)
        let unknown = ErrorCode(rawValue: 60_000)
        #expect(!unknown.isRecognized && unknown.name == "unrecognized" && unknown.retry == .never)
        #expect(ErrorCode.all.filter { !$0.isRecognized }.isEmpty)
        #expect(Set(ErrorCode.all.map(\.name)).count == ErrorCode.all.count)
        #expect(WireError.frameTooLarge(1).code == .frameTooLarge && WireError.badUTF8.code == .malformed)
    }

    @Test func rulesAreInOrderAndInTheirPhases() {
        for edge in allEdges {
            #expect(edge.rules.map(\.type) == edge.rules.map(\.type).sorted())
            #expect(edge.rules.allSatisfy { !$0.phases.isEmpty && $0.phases.allSatisfy { $0 < edge.phases.count } })
            #expect(edge.rules.allSatisfy { ($0.next ?? 0) < edge.phases.count })
        }
        #expect(SchedulerEdge.rule(5)?.replyFDs == [.fileRead] && StreamEdge.rule(1)?.requestFDs == [.streamSocket])
        #expect(RunnerEdge.Resume.rule.next == 1 && RunnerEdge.Records.rule.isStream)
    }
}
