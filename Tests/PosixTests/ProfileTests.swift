// The daemons' profiles as they are compiled in, and what is said of one that has mistakes.
import Sandbox
import Testing

extension Base {
    @Suite struct ProfileTests {
        @Test(arguments: Profile.all.map(\.name)) func isWithoutMistakes(_ name: String) throws {
            let profile = try #require(Profile.all.first { $0.name == name })
            let (rules, mistakes) = profile.read()
            #expect(mistakes == [])
            #expect(Set(rules.map(\.call)).count <= Profile.limit)
            #expect(try profile.rules() == rules)
        }

        /// Calls that make a process, run a program, or change who the process is: no daemon has a use for them.
        @Test(arguments: Profile.all.map(\.name)) func hasNothingOfTheseAtAll(_ name: String) throws {
            let forbidden: Set = [
                "add_key", "bind", "bpf", "capset", "chroot", "dup2", "execve", "execveat", "fork", "init_module",
                "io_uring_setup", "kexec_load", "keyctl", "kill", "landlock_create_ruleset",
                "mount", "open_by_handle_at", "perf_event_open", "pidfd_getfd", "pidfd_open", "pkey_mprotect",
                "process_vm_readv", "process_vm_writev", "ptrace", "seccomp", "setns", "setresuid", "setuid",
                "symlinkat", "unshare", "userfaultfd", "vfork",
            ]
            let profile = try #require(Profile.all.first { $0.name == name })
            let calls = Set(try profile.rules().map(\.call))
            #expect(calls.intersection(forbidden) == [])
            // What has a dangerous form is permitted in a harmless one only.
            let harmless: Set = [
                "clone", "fcntl", "ioctl", "memfd_create", "mmap", "mprotect", "prctl", "setpriority", "socket",
                "socketpair", "tgkill",
            ]
            for rule in try profile.rules() where harmless.contains(rule.call) {
                #expect(!rule.conditions.isEmpty, "\(rule.call)")
            }
        }

        @Test func aLineIsRead() throws {
            let text = """
                clone3 -> ENOSYS # why
                mmap arg2&PROT_EXEC=0 arg3=34,50 # rare: seldom
                tgkill arg0=self # it
                """
            let rules = try Profile(name: "x", text: text).rules()
            #expect(rules.map(\.call) == ["clone3", "mmap", "tgkill"])
            #expect(rules.map(\.refusal) == [38, nil, nil])
            #expect(rules.map(\.isRare) == [false, true, false])
            #expect(rules.map(\.reason) == ["why", "seldom", "it"])
            #expect(
                rules[1].conditions == [
                    .init(argument: 2, mask: 4, values: [.number(0)]),
                    .init(argument: 3, mask: .max, values: [.number(34), .number(50)]),
                ])
            #expect(rules[2].conditions == [.init(argument: 0, mask: .max, values: [.ownProcess])])
        }

        @Test(arguments: [
            ("write # x\nread # x\n", 2, "is not in its place"),
            ("read # x\nread # y\n", 2, "is here twice"),
            ("read # x\nread arg0=1 # y\n", 2, "without arguments besides one with them"),
            ("read\n", 1, "says no reason"),
            ("read # \n", 1, "says no reason"),
            ("read # rare: \n", 1, "says no reason"),
            ("raed # x\n", 1, "is no system call"),
            ("read arg6=1 # x\n", 1, "is not `argN=VALUE`"),
            ("read arg0=NO_SUCH # x\n", 1, "is not `argN=VALUE`"),
            ("read arg0=1, # x\n", 1, "is not `argN=VALUE`"),
            ("read arg0&4=1 # x\n", 1, "is not `argN=VALUE`"),
            ("read arg0=1 arg0=2 # x\n", 1, "arg0 is here twice"),
            ("read -> ENOENT # x\n", 1, "is no error that profiles use"),
            ("read here # x\n", 1, "is not `argN=VALUE`"),
            ("# nothing\n", 0, "permits nothing"),
        ])
        func aMistakeIsTold(_ text: String, _ line: Int, _ what: String) throws {
            let mistakes = Profile(name: "x", text: text).read().mistakes
            let found = mistakes.contains { $0.line == line && $0.text.contains(what) }
            #expect(found, "\(mistakes)")
            #expect(throws: SandboxError.self) { try Profile(name: "x", text: text).rules() }
        }

        @Test func manyCallsAreTooMany() throws {
            let all = try Profile.all.flatMap { try $0.rules() }.map(\.call)
            let more = ["chroot", "fork", "kill", "mount", "ptrace", "setuid", "unshare"]
            let text = Set(all + more).sorted().map { "\($0) # x\n" }.joined()
            let told = Profile(name: "x", text: text).read().mistakes.map(\.text)
            #expect(told.contains { $0.hasSuffix("more than 65") })
        }
    }
}
