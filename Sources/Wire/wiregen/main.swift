// wiregen: proto-spec/*.wire -> Swift, tables, catalogue. A tool for those who change the protocol; no daemon links it.
//
//   wiregen generate [ROOT]   write what is generated
//   wiregen check [ROOT]      compare, released versions too; exit 1 with a line for each difference
//   wiregen lock [ROOT]       add the versions that versions.lock does not have; a locked one is never changed

import Foundation
import WireSchema

func fail(_ message: String, _ status: Int32) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(status)
}

let arguments = CommandLine.arguments.dropFirst()
guard let command = arguments.first, arguments.count <= 2 else { fail("usage: wiregen generate|check|lock [ROOT]", 64) }
let root = URL(fileURLWithPath: arguments.count == 2 ? arguments.last ?? "." : ".")

do {
    let workspace = try Workspace(root: root)
    switch command {
    case "generate":
        for path in try workspace.generate() { print("wrote \(path)") }
    case "check":
        let problems = try workspace.check()
        if !problems.isEmpty { fail(problems.joined(separator: "\n"), 1) }
        print("generated code, tables and released versions are as the schemas say")
    case "lock":
        let changed = workspace.lock.changed(workspace.set)
        if !changed.isEmpty { fail(changed.map(\.description).joined(separator: "\n"), 1) }
        for line in try workspace.addLocks() { print("locked \(line)") }
    default:
        fail("usage: wiregen generate|check|lock [ROOT]", 64)
    }
} catch {
    fail("\(error)", 1)
}
