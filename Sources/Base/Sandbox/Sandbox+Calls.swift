// Loading a profile into the kernel, by libseccomp.
import CLinux
import CSeccomp
import Posix

extension Sandbox {
    /// From here on, whatever `profile` does not permit ends this process, in each of its threads; so does every call
    /// of another architecture (32 bits, x32). It cannot be undone, and is inherited.
    package static func permitOnly(_ profile: Profile, otherwise reaction: Reaction = .kill) throws(SandboxError) {
        let rules = try profile.rules()
        if reaction == .trap { try explainTraps(profile.name) }
        let other: UInt32 = reaction == .trap ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS
        guard let filter = unsafe seccomp_init(other) else {
            throw .notConfined(what: "libseccomp made no filter")
        }
        defer { unsafe seccomp_release(filter) }
        let attributes: [(scmp_filter_attr, UInt32, String)] = [
            (SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS, "BADARCH"),
            // If there is another thread after all, it is confined too.
            (SCMP_FLTATR_CTL_TSYNC, 1, "TSYNC"),
            // Kills are in the kernel's log by themselves; this has traps logged, too.
            (SCMP_FLTATR_CTL_LOG, reaction == .trap ? 1 : 0, "LOG"),
            // A search tree instead of one comparison after the other: each call of the daemon passes here.
            (SCMP_FLTATR_CTL_OPTIMIZE, 2, "OPTIMIZE"),
        ]
        for (attribute, value, name) in attributes {
            try unsafe SandboxError.check(seccomp_attr_set(filter, attribute, value), "seccomp_attr_set \(name)")
        }
        for rule in rules { try unsafe add(rule, to: filter) }
        try unsafe SandboxError.check(seccomp_load(filter), "seccomp_load")
    }

    /// SCMP_ACT_ERRNO, which is a macro with an argument.
    private static let refusing: UInt32 = 0x0005_0000

    private static func add(_ rule: Rule, to filter: scmp_filter_ctx) throws(SandboxError) {
        let number = unsafe seccomp_syscall_resolve_name(rule.call)
        // A call that this architecture has under another name only; its profile line is for the others.
        if number < 0 { return }
        let action = rule.refusal.map { refusing | UInt32($0) } ?? SCMP_ACT_ALLOW
        for comparisons in combinations(rule.conditions) {
            let count = UInt32(comparisons.count)
            try unsafe SandboxError.check(
                comparisons.withUnsafeBufferPointer {
                    unsafe seccomp_rule_add_array(filter, action, number, count, $0.baseAddress)
                }, "seccomp_rule_add \(rule.call)")
        }
    }

    /// libseccomp knows "and" within a rule and "or" between rules: one rule for each way to choose a value per
    /// argument.
    private static func combinations(_ conditions: [Rule.Condition]) -> [[scmp_arg_cmp]] {
        conditions.reduce([[]]) { begun, condition in
            begun.flatMap { comparisons in
                condition.values.map { value in
                    comparisons + [
                        scmp_arg_cmp(
                            arg: condition.argument, op: SCMP_CMP_MASKED_EQ, datum_a: UInt64(condition.mask),
                            datum_b: UInt64(number(value)))
                    ]
                }
            }
        }
    }

    private static func number(_ value: Rule.Value) -> UInt32 {
        switch value {
        case .number(let number): number
        case .ownProcess: UInt32(bitPattern: Posix.processID)
        }
    }

    /// The handler may call nothing that allocates, so it is given all names in advance.
    private static func explainTraps(_ profile: String) throws(SandboxError) {
        for number in 0..<Int32(BH_CALL_NAMES) {
            // Never freed: the handler has it for as long as the process lives.
            if let name = unsafe seccomp_syscall_resolve_num_arch(UInt32(SCMP_ARCH_NATIVE), number) {
                unsafe bh_name_call(number, name)
            }
        }
        try unsafe SandboxError.check(bh_explain_traps(profile), "sigaction(SIGSYS)")
    }
}
