// The processes of the container, seen from its first one: killing whatever is left.

import Files
import Glibc
import Posix
import Processes

/// Everything that runs below the runner. As PID 1 of a container that is everything else in it; a runner that is not
/// PID 1 (in a test) adopts its descendants' orphans and kills only those.
struct ProcessTable {
    let isInit: Bool

    /// Prepares this process to be the one that orphans come to.
    init() throws(PosixError) {
        isInit = getpid() == 1
        if !isInit { try Posix.becomeSubreaper() }
    }

    /// SIGTERM to a step: it leads a session and a process group of its own.
    func terminate(group leader: pid_t) {
        guard leader > 1 else { return }
        _ = kill(-leader, SIGTERM)
    }

    /// SIGKILL to everything. What is being forked at this moment may survive one call: say it again until `reapAll`
    /// finds none.
    func killEverything() {
        if isInit {
            _ = kill(-1, SIGKILL)
        } else {
            for pid in ProcessTable.descendants(of: getpid()) { _ = kill(pid, SIGKILL) }
        }
    }

    /// Whether /proc shows anybody else in this container, or below this process if it is not PID 1. `reapAll` knows
    /// of children only.
    func othersAreThere() -> Bool {
        if !isInit { return !ProcessTable.descendants(of: getpid()).isEmpty }
        return ProcessTable.all().contains { $0 != 1 }
    }

    private static func descendants(of root: pid_t) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for pid in all() {
            if let parent = parent(of: pid) { children[parent, default: []].append(pid) }
        }
        var found: [pid_t] = []
        var open = [root]
        while let next = open.popLast() {
            for child in children[next] ?? [] {
                found.append(child)
                open.append(child)
            }
        }
        return found
    }

    private static func all() -> [pid_t] {
        (try? Posix.directoryEntries("/proc"))?.compactMap { pid_t($0) } ?? []
    }

    /// The fourth field of /proc/PID/stat; the second, a name in parentheses, may hold anything.
    private static func parent(of pid: pid_t) -> pid_t? {
        guard let line = try? Posix.readFile("/proc/\(pid)/stat", limit: 4096) else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[end...].split(separator: " ")
        return fields.count > 2 ? pid_t(fields[2]) : nil
    }
}
