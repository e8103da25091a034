// What reads GitLab's runner protocol: the document of a job, and the machines that take its answers.

import Exchange
import GitLabRunner

/// A document. Whatever it says, what comes of it is within the bounds, and no masked value stands where a definition
/// would show it.
func runnerJob(_ input: ArraySlice<UInt8>) throws {
    let given = try Payload.read(Array(input))
    try check(given.handle.token)
    let state = FinalState(.lost, listed: given.handle.reasons)
    if let listed = given.handle.reasons, let reason = state.reason, !listed.contains(reason) {
        throw OracleError.notCanonical("a reason that is not listed")
    }
    switch given {
    case .refused(let job): if job.sentence.isEmpty { throw OracleError.notCanonical("no sentence") }
    case .job(let job): try check(job)
    }
}

private func check(_ token: SecretText) throws {
    if token.bytes.isEmpty || !token.bytes.allSatisfy({ (0x21...0x7E).contains($0) }) {
        throw OracleError.notCanonical("a token that is none")
    }
}

private func check(_ job: GitLabJob) throws {
    let limits = PayloadLimits()
    guard (1...limits.steps).contains(job.steps.count), job.variables.count <= limits.variables,
        job.secrets.count <= limits.secrets, (1...UInt32(limits.timeout)).contains(job.timeout),
        job.steps.allSatisfy({ (1...limits.scriptBytes).contains($0.script.utf8.count) }),
        job.variables.allSatisfy({ $0.value.utf8.count <= limits.valueBytes }),
        job.secrets.allSatisfy({ $0.value.bytes.count <= limits.valueBytes }),
        (job.image?.utf8.count ?? 1) <= limits.imageBytes
    else { throw OracleError.notCanonical("a job out of bounds") }
    let names = job.variables.map(\.name) + job.secrets.map(\.name)
    guard Set(names).count == names.count, names.contains("CI_PROJECT_DIR"),
        // An empty one hides nothing.
        !job.variables.contains(where: { $0.name == "CI_JOB_TOKEN" && !$0.value.isEmpty }),
        !names.contains(where: { $0.isEmpty || $0.hasPrefix("BULKHEAD_") || $0.utf8.contains(UInt8(ascii: "=")) })
    else { throw OracleError.notCanonical("variables that are none") }
    for dependency in job.dependencies { try check(dependency.token) }
}

/// How much of a log there is and whether it has ended, then an answer in each byte. The machine reads nothing that is
/// not there, never waits for what is past, and comes to an end.
func runnerLog(_ input: ArraySlice<UInt8>) throws {
    guard input.count >= 2, let api else { return }
    let log = [UInt8](repeating: 7, count: 1 + Int(input[input.startIndex]) * 4)
    var answers = Answers(bytes: input.dropFirst(2), size: UInt64(log.count))
    var limits = TraceMachine.Limits()
    (limits.piece, limits.smallestPiece, limits.probe) = (100, 10, 10)
    let flags = input[input.startIndex + 1]
    var now: UInt64 = 0
    var machine = TraceMachine(
        JobHandle(id: 1, token: SecretText("t"), reasons: nil), by: api, isResumed: flags & 1 == 1, now: now,
        limits: limits)
    machine.grew(to: UInt64(log.count))
    if flags & 2 == 2 { machine.finish(.succeeded, logSize: UInt64(log.count), now: 0) }
    for _ in 0..<(20_000 + 40 * input.count) {
        if answers.isAtEnd { machine.finish(.lost, logSize: UInt64(log.count), now: now) }
        switch machine.next(now: now) {
        case .over: return
        case .nothing: throw OracleError.notCanonical("a machine that waits for what it has")
        case .wait(let until):
            if until <= now { throw OracleError.notCanonical("a wait for what is past") }
            now = until
        case .read(let offset, let count):
            guard count > 0, count <= 100, offset + UInt64(count) <= UInt64(log.count) else {
                throw OracleError.notCanonical("a read of what is not there")
            }
            machine.feed(Array(log[Int(offset)..<(Int(offset) + count)]))
        case .send(let request):
            try check(request)
            _ = machine.take(answers.next(), now: now, wall: 1_800_000_000, jitter: 5)
        }
    }
    throw OracleError.notCanonical("a log without an end")
}

/// A runner's life in the same way; it is told to end when the bytes are used up.
func runnerLife(_ input: ArraySlice<UInt8>) throws {
    guard let first = input.first, let api else { return }
    let settings = RunnerSettings(scope: .instance, description: "d", tags: ["t"], runUntagged: false)
    var answers = Answers(bytes: input.dropFirst(), size: 9)
    var machine = RunnerMachine(settings, first & 1 == 0 ? .pool : .runner, by: api)
    var now: UInt64 = 0
    for _ in 0..<(200 + 40 * input.count) {
        if answers.isAtEnd { machine.stop() }
        switch machine.next(now: now, wall: 1_800_000_000 + now / 1000) {
        case .gone: return
        case .nothing:
            machine.tokenKept()
            machine.hasRoom(for: 1)
        case .wait(let until):
            if until <= now { throw OracleError.notCanonical("a wait for what is past") }
            now = until
        case .send(let request, _):
            try check(request)
            if case .keep(_, let token)? = machine.take(answers.next(), now: now, wall: 1_800_000_000, jitter: 5) {
                try check(token)
            }
        }
    }
    throw OracleError.notCanonical("a runner without an end")
}

private let origin = Origin("https://forge.example")
private let api = origin.flatMap { origin in
    SystemID("r_abcdefABCDEF").map { RunnerAPI(origin: origin, systemID: $0) }
}

private func check(_ request: RunnerRequest) throws {
    guard request.request.origin == origin, request.request.target.text.hasPrefix("/api/v4/"),
        (request.request.tokenAt ?? 0) <= request.request.body.count
    else { throw OracleError.notCanonical("a request that leads elsewhere") }
}

/// Answers of which each byte is one; then the server is not well, for ever.
private struct Answers {
    var bytes: ArraySlice<UInt8>
    let size: UInt64

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func next() -> RetryPolicy.Outcome {
        guard let byte = bytes.popFirst() else { return .answer(ExchangeAnswer(status: 500)) }
        let statuses = [202, 416, 200, 412, 201, 204, 500, 429, 403, 404, 409, 413, 400, 302, 401]
        let index = Int(byte & 15)
        guard index < statuses.count else { return .none(wasSent: byte & 16 == 16) }
        let words = ["running", "running", "canceling", "success", "canceled", "failed", "odd", ""]
        let ranges = ["0-0", "0-\(size)", "0-\(size / 2)", "0-\(size * 2)", "x", "0-1", "0-999999999999999", "1-2"]
        let more = Int(byte >> 4)
        return .answer(
            ExchangeAnswer(
                status: statuses[index],
                headers: [
                    HeaderField("Content-Type", "application/json"), HeaderField("Job-Status", words[more & 7]),
                    HeaderField("Range", ranges[(more * 5 + index) & 7]),
                    HeaderField("X-GitLab-Trace-Update-Interval", more & 1 == 0 ? "3" : "900"),
                ], body: Array(#"{"id":41,"token":"glrt-\#(more)","token_expires_at":"2026-12-01"}"#.utf8)))
    }
}
