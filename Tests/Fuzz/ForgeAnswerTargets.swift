// The readers of what forges answer: JSON for each call, and archives of sources.

import Exchange
import ForgeCalls
import ForgeModel
import GitHubCalls
import GitLabCalls
import GiteaCalls
import Tar

private let origin = Origin("https://forge.example")
private let commit = Commit(String(repeating: "1a", count: 20))

/// A forge, a call and a status, then a body, which is the answer each time. Whatever it says: nothing is sent but to
/// this forge, and what is believed of it has the form that it has to have.
func forgeAnswer(_ input: ArraySlice<UInt8>) throws {
    guard input.count >= 3, let origin, let commit else { return }
    let start = input.startIndex
    let providers: [any ForgeProvider] = [
        GitHubForge(origin: origin, archives: []), GitLabForge(origin: origin), GiteaForge(origin: origin),
        GitHubForge(origin: origin, archives: []).asApp(Installation(id: 1, app: 301, account: "bulkhead[bot]")),
    ]
    let calls = calls(commit)
    let statuses = [200, 201, 400, 404]
    let body = Array(input.dropFirst(3))
    let answer = ExchangeAnswer(
        status: statuses[Int(input[start + 2]) % statuses.count],
        headers: [
            HeaderField("Content-Type", "application/json"), HeaderField("X-Gitlab-Commit-Id", commit.hex),
            HeaderField("X-Gitlab-Size", String(body.count)),
        ], body: body)
    var work = ForgeWork(calls[Int(input[start + 1]) % calls.count], at: providers[Int(input[start]) % providers.count])
    try check(work.begin())
    for _ in 0..<3 {
        switch try work.take(answer) {
        case .ask(let request): try check(request)
        case .done(let result): return try check(result)
        }
    }
    throw OracleError.notCanonical("a call without an end")
}

private func calls(_ commit: Commit) -> [ForgeCall] {
    let (repository, ada) = (Repository(id: 42, path: "harbour/ship"), Account(id: 9, name: "ada"))
    return [
        .account,
        .postStatus(repository, CommitStatus(commit: commit, context: "ci", state: .running, description: "d")),
        .keepCheck(
            repository,
            CheckRun(commit: commit, name: "ci", externalID: "5", state: .success, title: "t", summary: "s")),
        .keepComment(repository, RollingComment(change: 5, name: "plan", author: ada, body: "b")),
        .permission(repository, ada), .change(repository, number: 5), .changedFiles(repository, number: 5),
        .comparison(repository, base: commit, head: commit), .branch(repository, name: "main"),
        .news(repository, since: NewsCursor()), .survey(repository, branch: "main"),
        .file(repository, path: "ci/job.yaml", commit), .installationToken(repository),
    ]
}

private func check(_ request: ExchangeRequest) throws {
    guard request.origin == origin, request.target.text.hasPrefix("/"),
        request.url.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw OracleError.notCanonical("a request that leads elsewhere") }
}

private func check(_ result: ForgeResult) throws {
    switch result {
    case .account(let account): try check(account.name)
    case .repository(let repository): try check(repository.path)
    case .change(let change):
        try check(change.author.name)
        try check(change.head.branch)
        if change.number != 5 || change.base.repository != 42 { throw OracleError.notCanonical("another change") }
    case .changedFiles(let files):
        if files.paths.contains(where: { $0.isEmpty || $0.utf8.contains(0) }) {
            throw OracleError.notCanonical("a path that is none")
        }
    case .installationToken(let installation, let token):
        try check(installation.account)
        if !token.bytes.allSatisfy({ (0x21...0x7E).contains($0) }) { throw OracleError.notCanonical("no token") }
    case .posted, .comment, .permission, .commit, .news, .file, .archive, .surveyed: return
    }
}

private func check(_ name: String) throws {
    if name.isEmpty || name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
        throw OracleError.notCanonical("a name that is none")
    }
}

/// A seed, then an archive. However it is cut, it is repacked to the same one; and that is in our form: whoever reads
/// it and writes it again has the same bytes.
func sourceArchive(_ input: ArraySlice<UInt8>) throws {
    guard let seed = input.first else { return }
    let archive = input.dropFirst()
    var state = UInt32(seed)
    let cut = Result { () throws(TarError) in
        try repacked(archive) {
            state = state &* 1_664_525 &+ 1_013_904_223
            return 1 + Int(state >> 20) % 1500
        }
    }
    let whole = Result { () throws(TarError) in try repacked(archive) { archive.count } }
    if cut != whole { throw OracleError.notCanonical("an archive depends on the cuts") }
    let bytes = try whole.get()
    do throws(TarError) {
        var reader = TarReader(into: TarWriter(), limits: limits())
        try reader.consume(bytes[...])
        try reader.finish()
        reader.sink.finish()
        if reader.sink.takeAll() != bytes { throw TarError(.badPath) }
    } catch {
        throw OracleError.notCanonical("what was repacked is not in our form: \(error)")
    }
}

private func limits() -> TarLimits {
    var limits = TarLimits()
    limits.fileSize = 1 << 20
    return limits
}

private func repacked(_ archive: ArraySlice<UInt8>, piece: () -> Int) throws(TarError) -> [UInt8] {
    var reader = TarReader(into: Repacker(), limits: limits())
    var rest = archive
    while !rest.isEmpty {
        let count = piece()
        try reader.consume(rest.prefix(count))
        rest = rest.dropFirst(count)
    }
    try reader.finish()
    do throws(TarProblem) { try reader.sink.finish() } catch { throw TarError(error) }
    return reader.sink.takeAll()
}
