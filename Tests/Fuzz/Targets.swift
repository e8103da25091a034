// What the fuzzer drives. A target is one line in `targets`; the first byte of an input picks it. Targets throw
// WireError or a Refusal for bad input, which is fine, and OracleError for a mistake of ours, which stops the run.

import Link
import Posix
import Wire

typealias Target = @Sendable (ArraySlice<UInt8>) throws -> Void

/// Add behind the last one: the numbers stand in the corpus.
let targets: [Target] = [
    wholeFrame, messageBody, frameStream, jsonDocument, gitHubDelivery, gitLabDelivery, giteaDelivery,
    forgeAnswer, sourceArchive, runnerJob, runnerLog, runnerLife, zipArchive,
]

/// edge and side, then a frame: header, the schema's rules, the body, nothing behind it.
func wholeFrame(_ input: ArraySlice<UInt8>) throws {
    guard let first = input.first else { return }
    let edge = allEdges[Int(first >> 1) % allEdges.count]
    let frame = Array(input.dropFirst())
    let fds = frame.count > 7 ? Int(frame[7]) : 0
    try FrameOracle.recode(frame, edge: edge, from: first & 1 == 0 ? .client : .server, fds: fds)
    if frame.count - 4 > edge.frameLimit {
        throw OracleError.notCanonical("a frame above the limit of \(edge.name)")
    }
}

/// An index of `allMessages` (u16), then a body: no header to guess, so this is where the decoders get their exercise.
func messageBody(_ input: ArraySlice<UInt8>) throws {
    guard input.count >= 2 else { return }
    let index = Int(input[input.startIndex]) << 8 | Int(input[input.startIndex + 1])
    try allMessages[index % allMessages.count].recode(input.dropFirst(2))
}

/// edge and a seed, then a stream of frames. However the stream is cut into reads, the same frames come out, the
/// decoder ends in the same error, and it never holds more than one frame of the edge's limit.
func frameStream(_ input: ArraySlice<UInt8>) throws {
    guard input.count >= 2 else { return }
    let edge = allEdges[Int(input[input.startIndex]) % allEdges.count]
    let seed = input[input.startIndex + 1]
    let stream = input.dropFirst(2)
    let whole = frames(stream, limit: edge.frameLimit, piece: { _ in stream.count })
    var state = UInt32(seed)
    let cut = frames(stream, limit: edge.frameLimit) { left in
        state = state &* 1_664_525 &+ 1_013_904_223
        return min(left, 1 + Int(state >> 24) % 40)
    }
    if whole != cut { throw OracleError.notCanonical("frames of \(edge.name) depend on the cuts") }
}

private struct Outcome: Equatable {
    var headers: [FrameHeader] = []
    var bodies: [[UInt8]] = []
    var error: WireError?
}

private func frames(_ stream: ArraySlice<UInt8>, limit: Int, piece: (Int) -> Int) -> Outcome {
    var decoder = FrameDecoder(limit: limit)
    var outcome = Outcome()
    var rest = stream
    do throws(WireError) {
        while true {
            while let frame = try decoder.next() {
                outcome.headers.append(frame.header)
                outcome.bodies.append(Array(decoder.buffer[frame.body]))
            }
            if rest.isEmpty { return outcome }
            let count = piece(rest.count)
            decoder.feed(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
    } catch {
        outcome.error = error
    }
    return outcome
}
