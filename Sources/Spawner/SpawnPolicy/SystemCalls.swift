// The system calls of a job, as data: what may be called whatever its arguments are, and why. `JobSeccomp` makes the
// filter of it; what is in no group is refused.
//
// Where the list comes from: systemd's @system-service (298 calls on x86-64), less what reaches parts of the kernel
// that a build has no business with. It was held against traces of CI work (`strace -f`, on root file systems of Debian
// 12, Alpine-like busybox and this repository's own build): gcc and ld, make -j, autoconf, cmake and ninja, git (clone
// over a file, commit, gc), tar, gzip, xz, python3 (venv, unittest, multiprocessing), perl, node's and Go's runtimes,
// swift build, dpkg -i, apt-get install from a local archive, useradd, runuser. What they called beyond this list is
// named in `JobSeccomp`; nothing of it was needed.

/// One reason, and the calls that it stands for.
struct SystemCallGroup {
    let why: String
    let names: String
    /// In profile build only.
    var buildOnly = false

    static let all = [
        files, fileOwners, waiting, memory, processes, users, sandboxes, conversations, time, diskWide,
    ]

    static let files = SystemCallGroup(
        why: "what a build is made of: reading, writing, naming and removing files in its own mount namespace",
        names: "access chdir close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 "
            + "fallocate fchdir fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync "
            + "ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1 "
            + "inotify_rm_watch lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir "
            + "mkdirat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead "
            + "readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat "
            + "statfs statx symlink symlinkat sync_file_range tee truncate umask unlink unlinkat utime utimensat "
            + "utimes write writev")

    static let fileOwners = SystemCallGroup(
        why: "permissions and owners: cp -p, install and tar set them even to what they are. Without CAP_CHOWN the "
            + "kernel lets nobody give a file away, and no_new_privs makes set-user-id bits mean nothing",
        names: "chmod chown fchmod fchmodat fchmodat2 fchown fchownat lchown")

    static let waiting = SystemCallGroup(
        why: "event loops and asynchronous reads of one's own descriptors",
        names: "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 io_cancel "
            + "io_destroy io_getevents io_pgetevents io_setup io_submit pause poll ppoll pselect6 select signalfd "
            + "signalfd4")

    static let memory = SystemCallGroup(
        why: "one's own memory; its amount is the control group's business",
        names:
            "brk madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap "
            + "mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect")

    static let processes = SystemCallGroup(
        why:
            "processes and threads of one's own process namespace; clone has rules of its own, and so has what could "
            + "be done to the runner",
        names: "arch_prctl capget execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv "
            + "futex_wake get_robust_list getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid "
            + "gettid ioprio_get kill pidfd_open prctl process_mrelease "
            + "restart_syscall riscv_flush_icache riscv_hwprobe rseq rt_sigaction rt_sigpending rt_sigprocmask "
            + "rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_get_priority_max "
            + "sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler "
            + "sched_rr_get_interval sched_yield "
            + "set_robust_list set_tid_address setpgid setrlimit setsid sigaltstack sysinfo tgkill times "
            + "tkill uname vfork wait4 waitid")

    static let users = SystemCallGroup(
        why:
            "who one is. Programs set what they are already, and the runner starts steps as other users; whether it "
            + "may is decided by capabilities, of which profile strict has none where no step needs one",
        names: "capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid setgroups "
            + "setregid setresgid setresuid setreuid setuid")

    static let sandboxes = SystemCallGroup(
        why: "a job may confine itself further",
        names: "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp")

    static let conversations = SystemCallGroup(
        why: "talking to itself: its namespaces for IPC and the network are its own; socket and socketpair have rules",
        names: "accept accept4 bind connect getpeername getsockname getsockopt listen mq_getsetattr mq_notify mq_open "
            + "mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd pipe pipe2 recvfrom recvmmsg recvmsg "
            + "semctl semget semop semtimedop sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown")

    static let time = SystemCallGroup(
        why: "reading clocks, setting one's own timers, chance",
        names: "alarm clock_getres clock_gettime clock_nanosleep getitimer getrandom gettimeofday nanosleep setitimer "
            + "time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create "
            + "timerfd_gettime timerfd_settime")

    static let diskWide = SystemCallGroup(
        why: "flushing every file system of the host: installed packages do it for what they wrote to the root. In "
            + "profile strict everything lies in memory, and it would do nothing but hold up the neighbours",
        names: "sync syncfs", buildOnly: true)
}
