// Starting, signalling and reaping processes. The fork itself is in CSpawn.
import CSpawn
import Glibc
package import Posix

extension Posix {
    /// Starts a process and returns its pid once it runs the program: a missing executable or a refused user is thrown
    /// here, with the child's own errno. Signal dispositions and mask are reset in the child.
    package static func spawn(_ child: ChildSpec) throws(PosixError) -> Int32 {
        try unsafe spawn(child, secretVariables: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// The same with more variables: `NAME=value` strings, each ended by a NUL, in memory that the caller wipes. They
    /// are not copied in this process; the memory must not be one that is wiped on fork.
    package static func spawn(
        _ child: ChildSpec, secretVariables: UnsafeRawBufferPointer
    ) throws(PosixError) -> Int32 {
        var variables = child.environment
        if let name = child.pidVariable { variables.append(name + "=" + String(repeating: "0", count: 20)) }
        let arguments = try CStrings(child.arguments)
        let environment = try unsafe CStrings(variables, then: secretVariables)
        let writable = try CStrings(child.writableDirectories ?? [])
        let path = try CStrings([try checked(child.executable), child.workingDirectory ?? ""])
        var request = unsafe bh_spawn_request()
        unsafe request.path = unsafe UnsafePointer(path.place(0, skip: 0))
        if child.workingDirectory != nil { unsafe request.directory = unsafe UnsafePointer(path.place(1, skip: 0)) }
        if let name = child.pidVariable {
            unsafe request.pid_slot = unsafe environment.place(child.environment.count, skip: name.utf8.count + 1)
        }
        unsafe request.set_user = child.user == nil ? 0 : 1
        unsafe request.uid = child.user?.uid ?? 0
        unsafe request.gid = child.user?.gid ?? 0
        unsafe request.new_session = child.newSession ? 1 : 0
        unsafe request.death_signal = child.deathSignal ?? 0
        unsafe request.no_new_privileges = child.noNewPrivileges ? 1 : 0
        unsafe request.no_capabilities = child.noCapabilities ? 1 : 0
        unsafe request.writable_count = child.writableDirectories.map { Int32($0.count) } ?? -1
        return try unsafe start(&request, child, arguments, environment, writable)
    }

    private static func start(
        _ request: inout bh_spawn_request, _ child: ChildSpec, _ arguments: borrowing CStrings,
        _ environment: borrowing CStrings, _ writable: borrowing CStrings
    ) throws(PosixError) -> Int32 {
        var stage: Int32 = 0
        var copy = unsafe request
        let mappings = mappings(of: child)
        let groups = child.user?.groups ?? []
        let pid = unsafe arguments.withPointer { argv in
            unsafe environment.withPointer { envp in
                unsafe writable.withPointer { directories in
                    unsafe mappings.withUnsafeBufferPointer { fds in
                        unsafe groups.withUnsafeBufferPointer { ids in
                            unsafe copy.arguments = unsafe argv
                            unsafe copy.environment = unsafe envp
                            unsafe copy.writable = unsafe directories
                            unsafe copy.fds = fds.baseAddress
                            unsafe copy.fd_count = Int32(fds.count)
                            unsafe copy.groups = ids.baseAddress
                            unsafe copy.group_count = Int32(ids.count)
                            return unsafe bh_spawn(&copy, &stage)
                        }
                    }
                }
            }
        }
        if pid < 0 { throw .spawn(stage: SpawnStage(rawValue: stage) ?? .fork, errno: -pid) }
        return pid
    }

    private static func mappings(of child: ChildSpec) -> [bh_fd_mapping] {
        let standard = [child.stdin, child.stdout, child.stderr].enumerated().map { index, raw in
            bh_fd_mapping(source: raw ?? -1, target: Int32(index))
        }
        return standard + child.descriptors.map { bh_fd_mapping(source: $0.parent, target: $0.child) }
    }

    /// All children that have ended since the last call; never waits.
    package static func reap() -> [Reaped] { reapAll().ended }

    /// The same; `isEmpty`: no child is left at all.
    package static func reapAll() -> (ended: [Reaped], isEmpty: Bool) {
        var ended: [Reaped] = []
        while true {
            var (code, signalled): (Int32, Int32) = (0, 0)
            let pid = unsafe bh_wait(-1, 0, &code, &signalled)
            if pid <= 0 { return (ended, pid == -ECHILD) }
            ended.append(Reaped(pid: pid, code, signalled))
        }
    }

    /// Reaps this child if it has ended; nil if it still runs, or is not a child of ours.
    package static func reap(pid: Int32) -> ExitStatus? {
        reap(pid, block: false)?.status
    }

    /// Waits until this child ends; nil if it is not a child of ours.
    package static func wait(pid: Int32) -> ExitStatus? {
        reap(pid, block: true)?.status
    }

    private static func reap(_ pid: Int32, block: Bool) -> Reaped? {
        var (code, signalled): (Int32, Int32) = (0, 0)
        let found = unsafe bh_wait(pid, block ? 1 : 0, &code, &signalled)
        return found <= 0 ? nil : Reaped(pid: found, code, signalled)
    }

    /// Sends a signal to one process; ESRCH if there is none. Never to a group: pids below 1 are refused.
    package static func kill(_ pid: Int32, _ signal: Int32) throws(PosixError) {
        if pid < 1 { throw .system(call: "kill", errno: EINVAL) }
        _ = try retry("kill") { Glibc.kill(pid, signal) }
    }

    /// Orphans of our descendants become our children.
    package static func becomeSubreaper() throws(PosixError) {
        _ = try PosixError.check(bh_set_child_subreaper(), "prctl(PR_SET_CHILD_SUBREAPER)")
    }
}

extension Reaped {
    /// In the words of `bh_wait`.
    fileprivate init(pid: Int32, _ code: Int32, _ signalled: Int32) {
        self.init(pid: pid, status: signalled == 0 ? .exited(code) : .signalled(code))
    }
}
