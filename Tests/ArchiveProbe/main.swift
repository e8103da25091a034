// archive-probe: artifacts packed and laid over a source as courierd does it, between files. Others' readers and
// writers of archives are tested with it, and it with them.
//
//     archive-probe zip|gzip|raw TAR OUT [WIDE]        WIDE: from here on numbers are wide
//     archive-probe overlay SOURCE|- OUT ZIP...

import Files
import Posix
import SourceArchive

struct Wrong: Error { let what: String }

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 3 else { throw Wrong(what: "what to do, with what, and into what") }
let limits = ArchiveLimits(size: 1 << 33)
let source = arguments[1] == "-" ? nil : try Posix.open(arguments[1], .readOnly).release()
let out = try Posix.open(arguments[2], [.writeOnly, .create, .truncate], mode: 0o600)

func pack(_ format: ArtifactFormat) throws {
    guard let source else { throw Wrong(what: "a tar archive") }
    let wide = arguments.count > 3 ? UInt64(arguments[3]) : nil
    let packer = try ArtifactPacker(
        tar: source, format: format, into: out.raw, limits: limits, wide: wide ?? 0xFFFF_FFFF)
    while true {
        if let packed = try packer.advance() { return print(packed.size, packed.entries) }
    }
}

func overlay() throws {
    let zips = try arguments[3...].map { try Posix.open($0, .readOnly).release() }
    let overlay = SourceOverlay(source: source, zips: zips, into: out.raw, limits: limits)
    while true {
        if let made = try overlay.advance() { return print(made.size, made.entries) }
    }
}

do {
    switch arguments[0] {
    case "zip": try pack(.zip)
    case "gzip": try pack(.gzip)
    case "raw": try pack(.raw)
    case "overlay": try overlay()
    default: throw Wrong(what: "what to do")
    }
} catch let problem as ArchiveProblem {
    print("refused:", problem.sentence("artifacts"))
}
