// The filter of a job: an allow-list, everything else answers EPERM. What may be called at all is in `SystemCallGroup`;
// here is what depends on arguments. Missing on purpose: io_uring, ptrace and process_vm_* (other people's memory),
// keyrings (not namespaced), userfaultfd, bpf, perf, vmsplice, name_to_handle_at, mount and namespace calls, chroot,
// kexec, modules, clocks, NUMA placement, cachestat (what others have read), modify_ldt, memfd_secret. Only the native
// instruction set: entering by i386 or x32 is a kill, since a filter for one table of numbers says nothing about
// another.

package enum JobSeccomp {
    /// The filter as the engine takes it: its content, not a path. Names that an older kernel or another processor
    /// does not have are skipped by the engine.
    package static func json(_ profile: RunnerProfile) -> String {
        switch profile {
        case .strict: strict
        case .build: build
        }
    }

    // Made once: every plan carries it.
    private static let strict = text(SystemCallGroup.all.filter { !$0.buildOnly })
    private static let build = text(SystemCallGroup.all)

    private static func text(_ groups: [SystemCallGroup]) -> String {
        let names = groups.flatMap { $0.names.split(separator: " ").map(String.init) }.sorted()
        let rules =
            [rule(names: names)] + cloneRules + nodeRules + socketRules + personalityRules + terminalRules
            + runnerRules
        return #"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"syscalls":["#
            + rules.joined(separator: ",") + "]}"
    }

    /// Threads and processes, but none of the namespace flags (0x7E020000). clone3 keeps its flags in memory, where a
    /// filter cannot look, so it does not exist (ENOSYS, 38) and the C library takes clone.
    static let cloneRules = [
        rule(names: ["clone"], masked(0, mask: 0x7E02_0000, value: 0)),
        #"{"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#,
    ]

    /// Pipes (0x1000), sockets (0xC000) and plain files (0x8000, 0) can be made, devices cannot: the capability for it
    /// is missing, and one wall more costs nothing.
    static let nodeRules = [0, 0x1000, 0x8000, 0xC000].flatMap { kind in
        [
            rule(names: ["mknod"], masked(1, mask: 0xF000, value: kind)),
            rule(names: ["mknodat"], masked(2, mask: 0xF000, value: kind)),
        ]
    }

    /// AF_UNIX (1); AF_INET (2) and AF_INET6 (10) as TCP (6) or UDP (17), not raw, not SCTP, MPTCP or L2TP, for which
    /// the kernel would load modules; AF_NETLINK (16) for routes (0) only, which resolvers ask. No AF_VSOCK (agents of
    /// the hypervisor), AF_ALG, AF_PACKET.
    static let socketRules =
        [2, 10].flatMap { family in
            [(type: 1, protocols: [0, 6]), (type: 2, protocols: [0, 17])].flatMap { type, protocols in
                protocols.map { number in
                    rule(names: ["socket"], equal(0, family), masked(1, mask: 0xF, value: type), equal(2, number))
                }
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

    /// Limits of others, signals that say who sent them, and processors: not for process 1, the runner, which has one
    /// thread. A step with its user could end it by a limit, or forge the engine's SIGTERM, of which only the sender
    /// tells it apart. The kernel looks at 32 bits of the number, as above. A place among those that want the processor
    /// or the disk is set for oneself only (0), or the runner could be made to wait for ever. A signal through a
    /// descriptor may bring no such words.
    static let runnerRules =
        (0..<32).map { bit in
            rule(
                names: ["prlimit64", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sched_setaffinity"],
                masked(0, mask: 1 << bit, value: ~1 & (1 << bit)))
        } + [
            rule(names: ["sched_setattr", "sched_setparam", "sched_setscheduler"], equal(0, 0)),
            rule(names: ["setpriority"], equal(0, 0), equal(1, 0)),
            rule(names: ["ioprio_set"], equal(0, 1), equal(1, 0)),
            rule(names: ["pidfd_send_signal"], equal(2, 0)),
        ]

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
