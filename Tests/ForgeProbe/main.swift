// forge-probe: one call at a forge, as courierd makes it, and what came of it as a line. The doubles of the forges are
// tested with it, and it with them.
//
//     forge-probe github|gitlab|gitea URL CALL [ARGUMENT ...]     the token is on standard input

import Errands
import Exchange
import Files
import ForgeCalls
import GitHubCalls
import GitLabCalls
import GiteaCalls
import Outbound
import Posix
import SourceArchive

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 3, let origin = Origin(arguments[1]), let loopback = AddressRange("127.0.0.0/8") else {
    throw Wrong(what: "forge, URL and call")
}
/// Where an archive may lie, if not at the forge itself.
let archives = Posix.environment("ARCHIVES").flatMap { Origin($0) } ?? origin
let provider: any ForgeProvider =
    switch arguments[0] {
    case "github": GitHubForge(origin: origin, archives: [archives])
    case "gitlab": GitLabForge(origin: origin)
    case "gitea": GiteaForge(origin: origin)
    default: throw Wrong(what: "forge")
    }

let loop = try PollLoop()
let here = AddressPolicy(named: [loopback])
let outbound = try Outbound(loop: loop, settings: OutboundSettings(addresses: here))
let file = try Posix.openTemporary("/tmp")
let sink = try ArchiveSink(into: file.raw, limits: ArchiveLimits(size: 1 << 30))
let errand = Errand(try Arguments(arguments[2...]).call(), at: provider, token: try token(), by: outbound, on: loop) {
    sink
}
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
