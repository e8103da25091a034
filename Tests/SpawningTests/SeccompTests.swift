import Foundation
import Testing

/// R8: the kernel's surface from inside a job, asked by a C program that the job compiles itself (which shows that
/// compilers work under the filter, too). The control is the same program without the filter.
@Suite(.enabled(if: RealEngine.socket != nil, "BULKHEAD_ENGINE is not set"), .serialized)
struct SeccompTests {
    /// Each line of the output: a name and "denied", "missing" or "reached".
    private static let probe = #"""
        #define _GNU_SOURCE
        #include <errno.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/ioctl.h>
        #include <sys/ptrace.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>
        static void say(const char *name, long result) {
            const char *verdict = errno == EPERM ? "denied" : errno == ENOSYS ? "missing" : "reached";
            printf("%s %s\n", name, result >= 0 ? "reached" : verdict);
        }
        #define TRY(call) errno = 0, say(#call, call)
        static long clone_user(void) {
            long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
            if (pid == 0) _exit(0);
            return pid;
        }
        static long tiocsti(unsigned long number) { return syscall(SYS_ioctl, 0, number, "x"); }
        #ifdef __x86_64__
        static void i386(void) {
            fflush(stdout);
            if (fork() == 0) { int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); _exit(r > 0 ? 0 : 1); }
            int status = 0;
            wait(&status);
            printf("i386 %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "reached");
        }
        #endif
        int main(void) {
            setvbuf(stdout, NULL, _IOLBF, 0);
            TRY(syscall(425, 1, 0));             /* io_uring_setup */
            TRY(clone_user());
            TRY(syscall(SYS_keyctl, 0, -3, 0));
            TRY(syscall(SYS_userfaultfd, 1));
            TRY(syscall(SYS_bpf, 0, 0, 0));
            TRY(syscall(SYS_perf_event_open, 0, 0, 0, 0, 0));
            TRY(syscall(SYS_memfd_secret, 0));
            TRY(syscall(SYS_personality, 8));
            TRY(syscall(SYS_vmsplice, 0, 0, 0, 0));
            TRY(syscall(SYS_mount, "x", "/tmp", "tmpfs", 0, 0));
            TRY(syscall(SYS_process_vm_readv, getpid(), 0, 0, 0, 0, 0));
            TRY(socket(40, SOCK_STREAM, 0));     /* AF_VSOCK */
            TRY(socket(38, SOCK_SEQPACKET, 0));  /* AF_ALG */
            TRY(socket(AF_PACKET, SOCK_RAW, 0));
            TRY(socket(AF_INET, SOCK_RAW, 1));
            TRY(socket(AF_NETLINK, SOCK_RAW, 9)); /* audit */
            TRY(tiocsti(0x5412));
            TRY(tiocsti(0x100005412));
            TRY(tiocsti(0x541C));
            TRY(syscall(SYS_clone3, 0, 0));
            TRY(socket(AF_INET, SOCK_STREAM, 0));
            TRY(socket(AF_INET6, SOCK_DGRAM, 0));
            TRY(socket(AF_UNIX, SOCK_STREAM, 0));
            TRY(socket(AF_NETLINK, SOCK_RAW, 0));
            TRY(syscall(SYS_ioctl, 1, 0x541B, &(int){0})); /* FIONREAD */
            TRY(syscall(SYS_personality, 0xffffffff));
        #ifdef __x86_64__
            i386();
        #endif
            /* last: they would change what the others may do */
            TRY(unshare(CLONE_NEWUSER));
            TRY(ptrace(PTRACE_TRACEME, 0, 0, 0));
            return 0;
        }
        """#

    private static let script = """
        cd /job; cat >probe.c <<'PROBE'
        \(probe)
        PROBE
        gcc -O1 -w -pipe probe.c -o probe && ./probe </dev/null && echo done
        """

    private static func verdicts(_ output: String) -> [String: String] {
        var verdicts: [String: String] = [:]
        for line in output.split(separator: "\n") {
            guard let space = line.lastIndex(of: " ") else { continue }
            verdicts[String(line[..<space])] = String(line[line.index(after: space)...])
        }
        return verdicts
    }

    private static let allowed = [
        "socket(AF_INET, SOCK_STREAM, 0)", "socket(AF_INET6, SOCK_DGRAM, 0)", "socket(AF_UNIX, SOCK_STREAM, 0)",
        "socket(AF_NETLINK, SOCK_RAW, 0)", "syscall(SYS_ioctl, 1, 0x541B, &(int){0})",
        "syscall(SYS_personality, 0xffffffff)",
    ]

    @Test func theFilterDeniesWhatItSaysAndCompilersWork() throws {
        let real = try RealHouse(script: Self.script)
        defer { real.close() }
        let output = try real.live(image: "bulkhead/debian", memory: 256 << 20).output
        #expect(output.contains("\ndone\n"), "\(output)")
        for (name, verdict) in Self.verdicts(output) {
            let expected =
                Self.allowed.contains(name)
                ? "reached" : name.contains("clone3") ? "missing" : name == "i386" ? "killed" : "denied"
            #expect(verdict == expected, "\(name)")
        }
        #expect(Self.verdicts(output).count >= 28, "\(output)")
    }

    @Test func withoutItTheSameProgramReachesThem() throws {
        let directory = try TemporaryDirectory()
        try Data("#!/bin/sh\n\(Self.script)\n".utf8).write(to: URL(filePath: directory.path + "/probe"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path + "/probe")
        let name = "bulkhead-control-\(UInt64.random(in: 0 ... .max))"
        _ = try RealEngine.curl(
            "POST", "/containers/create?name=\(name)",
            """
            {"Image":"bulkhead/debian","Cmd":["/probe"],"HostConfig":{"NetworkMode":"none",
            "LogConfig":{"Type":"json-file"},
            "SecurityOpt":["seccomp=unconfined"],"Tmpfs":{"/job":"rw,exec"},
            "Binds":["\(directory.path)/probe:/probe:ro"]}}
            """)
        defer { _ = try? RealEngine.curl("DELETE", "/containers/\(name)?force=true") }
        _ = try RealEngine.curl("POST", "/containers/\(name)/start")
        _ = try RealEngine.curl("POST", "/containers/\(name)/wait")
        let output = try RealEngine.curl("GET", "/containers/\(name)/logs?stdout=1&stderr=1")
        // The log's frames put eight bytes before each line, which end in other than printable ones.
        let reached = output.split(separator: "\n").filter { $0.hasSuffix(" reached") }
        #expect(reached.count > 15, "\(output)")
        for call in ["ptrace", "clone_user", "unshare", "SYS_personality, 8", "SYS_clone3"] {
            #expect(reached.contains { $0.contains(call) }, "\(call) in \(output)")
        }
    }
}
