// The system calls of a job: an allow-list, everything else answers EPERM. It starts from what systemd calls
// @system-service, less what reaches parts of the kernel that a build has no business with. What is missing here on
// purpose: io_uring, ptrace and process_vm_* (other people's memory), keyrings (not namespaced), userfaultfd, bpf,
// perf, vmsplice, name_to_handle_at, mount and namespace calls, kexec, modules, clocks, NUMA placement, modify_ldt,
// memfd_secret. Only the native instruction set: entering by i386 or x32 is a kill, since a filter for one table of
// numbers says nothing about another.

package enum JobSeccomp {
    /// The profile as the engine takes it: its content, not a path. Names that an older kernel or another processor
    /// does not have are skipped by the engine.
    package static let json: String = {
        let rules =
            [rule(names: plain.split(separator: " ").map(String.init))] + cloneRules + socketRules + personalityRules
            + terminalRules
        return #"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"syscalls":["#
            + rules.joined(separator: ",") + "]}"
    }()

    /// Allowed whatever their arguments are.
    static let plain =
        // files
        "access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 "
        + "fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock "
        + "fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr "
        + "inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr "
        + "llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 "
        + "pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr "
        + "rename renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink symlinkat sync "
        + "sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes write writev "
        // waiting
        + "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 io_cancel "
        + "io_destroy io_getevents io_pgetevents io_setup io_submit pause poll ppoll pselect6 select signalfd "
        + "signalfd4 "
        // memory
        + "brk cachestat madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect "
        + "mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect "
        // processes and threads
        + "arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv "
        + "futex_wake get_robust_list getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid "
        + "getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill "
        + "pidfd_open pidfd_send_signal prctl prlimit64 process_mrelease restart_syscall riscv_flush_icache "
        + "riscv_hwprobe rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
        + "rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity "
        + "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr "
        + "sched_setparam sched_setscheduler sched_yield set_robust_list set_tid_address setfsgid setfsuid setgid "
        + "setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack "
        + "sysinfo tgkill times tkill uname vfork wait4 waitid "
        // a job may sandbox itself further
        + "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp "
        // talking to itself: its namespaces for IPC and the network are its own
        + "accept accept4 bind connect getpeername getsockname getsockopt listen mq_getsetattr mq_notify mq_open "
        + "mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 recvfrom recvmmsg recvmsg "
        + "semctl semget semop semtimedop sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown "
        // time and chance
        + "alarm clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday nanosleep setitimer time "
        + "timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime "
        + "timerfd_settime"

    /// Threads and processes, but none of the namespace flags (0x7E020000). clone3 keeps its flags in memory, where a
    /// filter cannot look, so it does not exist (ENOSYS, 38) and the C library takes clone.
    static let cloneRules = [
        rule(names: ["clone"], masked(0, mask: 0x7E02_0000, value: 0)),
        #"{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#,
    ]

    /// AF_UNIX (1); AF_INET (2) and AF_INET6 (10) as stream or datagram, not raw; AF_NETLINK (16) for routes (0) only,
    /// which resolvers ask. No AF_VSOCK (agents of the hypervisor), AF_ALG, AF_PACKET.
    static let socketRules =
        [2, 10].flatMap { family in
            [1, 2].map { type in
                rule(names: ["socket"], equal(0, family), masked(1, mask: 0xF, value: type))
            }
        } + [
            rule(names: ["socket"], equal(0, 1)), rule(names: ["socketpair"], equal(0, 1)),
            rule(names: ["socket"], equal(0, 16), equal(2, 0)),
        ]

    /// The native personality, and the question which one it is.
    static let personalityRules = [
        rule(names: ["personality"], equal(0, 0)), rule(names: ["personality"], equal(0, 0xFFFF_FFFF)),
    ]

    /// ioctl, but not TIOCSTI (0x5412) and TIOCLINUX (0x541C), which type into a terminal. The kernel looks at the low
    /// 32 bits of the number, a plain comparison at all 64 (CVE-2019-7303): so each rule allows what differs from
    /// 0x541? in one of the low bits, and the harmless ones of 0x541? are named.
    static let terminalRules =
        (4..<32).map { bit in
            rule(names: ["ioctl"], masked(1, mask: 1 << bit, value: ~0x5410 & (1 << bit)))
        }
        + [0x5410, 0x5411, 0x5413, 0x5414, 0x541B].map { number in
            rule(names: ["ioctl"], masked(1, mask: 0xFFFF_FFFF, value: number))
        }

    private static func rule(names: [String], _ arguments: String...) -> String {
        let names = names.map { "\"\($0)\"" }.joined(separator: ",")
        let conditions = arguments.isEmpty ? "" : ",\"args\":[\(arguments.joined(separator: ","))]"
        return "{\"names\":[\(names)],\"action\":\"SCMP_ACT_ALLOW\"\(conditions)}"
    }

    private static func equal(_ index: Int, _ value: Int) -> String {
        "{\"index\":\(index),\"value\":\(value),\"op\":\"SCMP_CMP_EQ\"}"
    }

    private static func masked(_ index: Int, mask: Int, value: Int) -> String {
        "{\"index\":\(index),\"value\":\(mask),\"valueTwo\":\(value),\"op\":\"SCMP_CMP_MASKED_EQ\"}"
    }
}
