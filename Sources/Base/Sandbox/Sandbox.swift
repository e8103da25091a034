// Giving up what a process does not need, before it reads its first byte from a peer. Called by Daemon's start-up
// sequence; which files may be opened is in Sandbox+Paths, which system calls may be made in Sandbox+Calls.
//
// Each function does one thing, throws if it cannot, and cannot be undone. They act on the calling thread: call them
// before any other is started.
import CLinux
import Glibc

/// The steps of confinement.
package enum Sandbox {
    /// No execve gives privileges any more: setuid bits and file capabilities are void from now on.
    package static func noNewPrivileges() throws(SandboxError) {
        try SandboxError.check(bh_set_no_new_privileges(), "prctl(PR_SET_NO_NEW_PRIVS)")
    }

    /// No core dump, no ptrace and no /proc/PID/mem for others of the same user: what the memory holds stays there.
    package static func notDumpable() throws(SandboxError) {
        try SandboxError.check(bh_set_not_dumpable(), "prctl(PR_SET_DUMPABLE)")
    }

    /// A crash ends the process by its own signal: what the runtime would do first, start a program that prints a
    /// backtrace, no daemon's profile permits, and the log would show that instead of the crash.
    package static func crashPlainly() throws(SandboxError) {
        for signal in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] {
            try SandboxError.check(bh_ignore_signal(signal, 0), "sigaction(\(signal))")
        }
    }

    /// A daemon that is taken over must not be root for it.
    package static func refuseRoot() throws(SandboxError) {
        if geteuid() == 0 || getuid() == 0 { throw .runsAsRoot }
    }

    /// Capabilities and no-new-privileges belong to a thread: one that runs already would keep what this one gives up.
    package static func requireSingleThread() throws(SandboxError) {
        let threads = bh_thread_count()
        try SandboxError.check(threads, "list the threads")
        if threads != 1 { throw .notConfined(what: "\(threads - 1) other threads run already") }
    }

    /// Empties the effective, permitted, inheritable and ambient capability sets, and the bounding set where that is
    /// permitted (an ordinary user may not; with no-new-privileges nothing can come back through it).
    package static func dropAllCapabilities() throws(SandboxError) {
        try dropBoundingSet()
        try SandboxError.check(bh_clear_ambient(), "prctl(PR_CAP_AMBIENT_CLEAR_ALL)")
        // Whom systemd starts holds none, and its unit does not even let it make this call.
        if try !holdsNone() { try SandboxError.check(bh_clear_capabilities(), "capset") }
        // Asked again rather than believed.
        if try !holdsNone() { throw .notConfined(what: "capabilities are left") }
    }

    private static func holdsNone() throws(SandboxError) -> Bool {
        let held = try capabilities()
        return held.effective | held.permitted | held.inheritable == 0
    }

    private static func dropBoundingSet() throws(SandboxError) {
        for capability in Int32(0)..<64 {
            switch bh_drop_bounding(capability) {
            case 0: continue
            case -EINVAL: return  // one more than the kernel has
            case -EPERM where geteuid() != 0: return
            case let result: throw .system(call: "prctl(PR_CAPBSET_DROP, \(capability))", errno: -result)
            }
        }
    }

    /// The capability sets of this thread, one bit each.
    package static func capabilities() throws(SandboxError) -> (
        effective: UInt64, permitted: UInt64, inheritable: UInt64
    ) {
        var (effective, permitted, inheritable): (UInt64, UInt64, UInt64) = (0, 0, 0)
        try unsafe SandboxError.check(bh_get_capabilities(&effective, &permitted, &inheritable), "capget")
        return (effective, permitted, inheritable)
    }
}
