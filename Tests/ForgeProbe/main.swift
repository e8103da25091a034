// forge-probe: one call at a forge, as courierd makes it, and what came of it as a line. The doubles of the forges are
// tested with it, and it with them.
//
//     forge-probe github|gitlab|gitea URL CALL [ARGUMENT ...]     the token is on standard input

import Errands
import Exchange
import Files
import ForgeCalls
import ForgeModel
import GitHubCalls
import GitLabCalls
import GiteaCalls
import Outbound
import Posix
import Secret
import SourceArchive

struct Wrong: Error { let what: String }

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 3, let origin = Origin(arguments[1]), let loopback = AddressRange("127.0.0.0/8") else {
    throw Wrong(what: "forge, URL and call")
}
/// Where an archive may lie, if not at the forge itself.
let archives = Posix.environment("ARCHIVES").flatMap { Origin($0) } ?? origin
let provider: any ForgeProvider =
    switch arguments[0] {
    case "github": GitHubForge(origin: origin, archives: archives)
    case "gitlab": GitLabForge(origin: origin)
    case "gitea": GiteaForge(origin: origin)
    default: throw Wrong(what: "forge")
    }

func argument(_ index: Int) throws -> String {
    guard arguments.count > 3 + index else { throw Wrong(what: "argument \(index)") }
    return arguments[3 + index]
}
func number(_ index: Int) throws -> UInt64 {
    guard let number = UInt64(try argument(index)) else { throw Wrong(what: "number \(index)") }
    return number
}
func commit(_ index: Int) throws -> Commit {
    guard let commit = Commit(try argument(index)) else { throw Wrong(what: "commit \(index)") }
    return commit
}
func state(_ index: Int) throws -> PostedState {
    guard let state = PostedState(rawValue: try argument(index)) else { throw Wrong(what: "state \(index)") }
    return state
}

/// The repository's number and path come first, but for `account`.
func call() throws -> ForgeCall {
    if arguments[2] == "account" { return .account }
    let repository = Repository(id: try number(0), path: try argument(1))
    switch arguments[2] {
    case "status":
        return .postStatus(
            repository,
            CommitStatus(
                commit: try commit(2), context: try argument(3), state: try state(4), description: try argument(5)))
    case "check":
        let id = arguments.count > 6 ? try number(3 + 2) : nil
        return .postCheck(
            repository,
            CheckRun(
                id: id, commit: try commit(2), name: try argument(3), externalID: "probe", state: try state(4),
                title: "t", summary: "s"))
    case "comment":
        let author = Account(id: try number(4), name: "")
        return .keepComment(
            repository,
            RollingComment(change: try number(2), name: try argument(3), author: author, body: try argument(5)))
    case "permission": return .permission(repository, Account(id: try number(2), name: try argument(3)))
    case "change": return .change(repository, number: try number(2))
    case "files": return .changedFiles(repository, number: try number(2))
    case "file": return .file(repository, path: try argument(3), try commit(2))
    case "archive": return .archive(repository, try commit(2))
    default: throw Wrong(what: "call")
    }
}

func token() throws -> Secret {
    var token = try Secret(capacity: 4096)
    var isOpen = true
    while isOpen {
        try token.fill { (room) throws(PosixError) in
            if case .bytes(let count) = try Posix.read(0, into: room) { return count }
            isOpen = false
            return 0
        }
    }
    return token
}

let loop = try PollLoop()
let here = AddressPolicy(named: [loopback])
let outbound = try Outbound(
    loop: loop,
    settings: OutboundSettings(origins: Dictionary([(origin, here), (archives, here)]) { first, _ in first }))
let file = try Posix.openTemporary("/tmp")
let sink = try ArchiveSink(into: file.raw, limits: ArchiveLimits(size: 1 << 30))
let errand = Errand(try call(), at: provider, token: try token(), by: outbound, on: loop) { sink }
errand.start { result in
    do {
        let result = try result.get()
        print(result)
        if result == .archive { print(try sink.finish()) }
    } catch {
        print("failed: \(error)", sink.problem.map { "\($0)" } ?? "")
    }
    loop.stop()
}
loop.run()
