import Foundation
import SpawnPolicy
import Testing

/// R1: whatever is asked for, the plan is the template outside the leaves that a request may set.
@Suite struct SpawnPolicyTests {
    private func plan(_ request: RunnerRequest, _ site: SitePolicy = site()) throws -> RunnerPlan {
        try SpawnPolicy.plan(request, site: site, inventory: inventory).get()
    }

    private func denial(_ request: RunnerRequest, _ site: SitePolicy = site()) -> Denial? {
        guard case .failure(let denial) = SpawnPolicy.plan(request, site: site, inventory: inventory) else {
            return nil
        }
        return denial
    }

    @Test func aStrictPlanHasNoPrivilegeAtAll() throws {
        let plan = try self.plan(request())
        #expect(plan.name == "bulkhead-test-\(runnerHex)")
        #expect(plan.readOnlyRoot && plan.capabilities.isEmpty && plan.uid == 1000 && plan.gid == 1000)
        #expect(plan.entryPoint == SpawnPolicy.runnerPath && plan.arguments == [runnerHex])
        #expect(!plan.maskedPaths.isEmpty && !plan.readOnlyPaths.isEmpty)
        #expect(
            plan.labels.map(\.key) == [
                "bulkhead.devices", "bulkhead.epoch", "bulkhead.grant", "bulkhead.instance", "bulkhead.runner",
                "bulkhead.trust",
                "bulkhead.v",
            ])
        let writable = plan.temporaryMounts.map(\.bytes).reduce(plan.sharedMemoryBytes, +)
        #expect(writable == 16 << 20)
    }

    @Test func aBuildPlanHasSixCapabilitiesInsideItsNamespace() throws {
        let plan = try self.plan(request(profile: .build))
        #expect(!plan.readOnlyRoot && plan.uid == 0)
        #expect(
            plan.capabilities == [
                "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
            ])
    }

    @Test func whoSwitchesUsersHasThreeCapabilities() throws {
        let plan = try self.plan(request(untrustedSteps: true))
        #expect(plan.readOnlyRoot && plan.uid == 0 && plan.gid == 0)
        #expect(plan.capabilities == ["CAP_KILL", "CAP_SETGID", "CAP_SETUID"])
        let job = try #require(plan.temporaryMounts.first { $0.path == "/job" })
        #expect(job.mode == 0o1777 && job.uid == 0)
        // Profile build can do so anyway.
        let build = try self.plan(request(profile: .build))
        #expect(try self.plan(request(profile: .build, untrustedSteps: true)) == build)
    }

    @Test(arguments: RunnerTrust.allCases)
    func trustChoosesTheRuntime(_ trust: RunnerTrust) throws {
        #expect(try plan(request(trust: trust)).runtime == "runc")
        let runtime = try self.plan(request(trust: trust), site(untrustedRuntime: "runsc")).runtime
        #expect(runtime == (trust == .untrusted ? "runsc" : "runc"))
    }

    @Test func aGrantIsADirectoryOfTheSites() throws {
        let plan = try self.plan(request())
        #expect(plan.grantDirectory == "/run/grants/\(grantHex)")
    }

    @Test(arguments: [
        "", "0011", "00112233445566778899AABBCCDDEEFF", "../../../../../../../../../../x",
        "00112233445566778899aabbccddee f",
    ])
    func identifiersAreHexadecimalOrNothing(_ text: String) {
        #expect(denial(request(runner: text))?.place == "runner")
        #expect(denial(request(grant: text))?.place == "grant")
    }

    @Test(arguments: [
        "", "-rm", "/etc", "a/../../info", "a//b", "a b", "a\nb", "a?b", "a#b", "a%2e", "ünicode", "a:",
        String(repeating: "a", count: 256),
    ])
    func anImageIsAnImagesName(_ image: String) {
        #expect(denial(request(image: image))?.place == "shape.image")
    }

    @Test(arguments: [
        "a", "bulkhead/busybox:latest", "registry.example:5000/x/y_z@sha256:0af", String(repeating: "a", count: 255),
    ])
    func realNamesAreTaken(_ image: String) {
        #expect(denial(request(image: image)) == nil)
    }

    @Test func theSiteDecides() {
        #expect(denial(request(profile: .build), site(profiles: [.strict]))?.place == "shape.profile")
        #expect(denial(request(), site(images: ["bulkhead/*"])) == nil)
        #expect(denial(request(image: "bulk"), site(images: ["bulkhead/*"]))?.place == "shape.image")
        #expect(denial(request(image: "bulkhead/busybox2"), site(images: ["bulkhead/busybox"]))?.place == "shape.image")
    }

    @Test func eachResourceHasBothBounds() {
        let cases: [(String, WritableKeyPath<RunnerResources, UInt64>, UInt64, UInt64)] = [
            ("memory_bytes", \.memoryBytes, 16 << 20, 4 << 30), ("disk_bytes", \.diskBytes, 1 << 20, 2 << 30),
        ]
        for (field, path, least, most) in cases {
            for (value, good) in [(least - 1, false), (least, true), (most, true), (most + 1, false), (.max, false)] {
                var asked = request()
                if field == "memory_bytes" { asked.resources.diskBytes = 1 << 20 }
                if field == "disk_bytes" { asked.resources.memoryBytes = 4 << 30 }
                asked.resources[keyPath: path] = value
                #expect((denial(asked) == nil) == good, "\(field) \(value)")
                if !good { #expect(denial(asked)?.place == "shape.resources.\(field)") }
            }
        }
        var asked = request()
        asked.resources.cpuMillis = 4001
        #expect(denial(asked)?.place == "shape.resources.cpu_millis")
        asked = request()
        asked.resources.pids = 7
        #expect(denial(asked)?.place == "shape.resources.pids")
        asked = request()
        asked.resources.diskBytes = asked.resources.memoryBytes + 1
        #expect(denial(asked)?.place == "shape.resources.disk_bytes")
    }

    /// As they stand in the job file that has to be changed.
    @Test func aDenialSpeaksTheUnitsOfPeople() {
        func text(_ change: (inout RunnerResources) -> Void) -> String? {
            var asked = request()
            change(&asked.resources)
            return denial(asked)?.text
        }
        #expect(text { $0.memoryBytes = 5 << 30 } == "resources.memory 5GiB is outside the site's 16MiB to 4GiB")
        #expect(
            text { $0.memoryBytes = (5 << 30) + 1 }
                == "resources.memory 5368709121 bytes is outside the site's 16MiB to 4GiB")
        #expect(text { $0.diskBytes = 3 << 10 } == "resources.disk 3KiB is outside the site's 1MiB to 2GiB")
        #expect(text { $0.cpuMillis = 4500 } == "resources.cpus 4.5 is outside the site's 0.01 to 4")
        #expect(text { $0.pids = 7 }?.hasPrefix("resources.pids 7 is outside the site's 8 to ") == true)
    }

    @Test func theSitesOwnMistakesAreFound() {
        #expect(site().mistake == nil)
        var bad = site()
        bad.instance = "Two/Words"
        #expect(bad.mistake != nil)
        bad = site(runner: "relative")
        #expect(bad.mistake != nil)
        bad = site(profiles: [])
        #expect(bad.mistake != nil)
        for path in ["", "relative", "/run/grants/", "/run\n/grants"] { #expect(site(grants: path).mistake != nil) }
        #expect(site(untrustedRuntime: "").mistake != nil)
    }

    /// R4, R10: what an image's author may not decide.
    @Test func imagesAreWeighed() throws {
        let plan = try self.plan(request())
        func refusal(_ image: ImageFacts) -> Denial? {
            guard case .failure(let denial) = plan.bound(to: image) else { return nil }
            return denial
        }
        #expect(refusal(anImage(volumes: ["/proc"]))?.reason == .image)
        #expect(refusal(anImage(labels: ["bulkhead.runner"]))?.reason == .image)
        #expect(refusal(anImage(labels: ["maintainer"])) == nil)
        #expect(refusal(anImage(architecture: "s390x"))?.reason == .image)
        #expect(refusal(anImage(environment: ["A B"]))?.reason == .image)
        #expect(refusal(anImage(environment: Array(repeating: "A", count: 129)))?.reason == .image)
        let bound = try plan.bound(to: anImage(environment: ["LD_PRELOAD", "PATH", "BASH_ENV", "LD_PRELOAD"])).get()
        #expect(bound.clearedVariables == ["BASH_ENV", "LD_PRELOAD"])
    }

    @Test(arguments: RunnerProfile.allCases)
    func theFilterIsJSONAndDeniesByDefault(_ profile: RunnerProfile) throws {
        let object = try JSONSerialization.jsonObject(with: Data(JobSeccomp.json(profile).utf8))
        let filter = try #require(object as? [String: Any])
        #expect(filter["defaultAction"] as? String == "SCMP_ACT_ERRNO")
        let rules = try #require(filter["syscalls"] as? [[String: Any]])
        let free = Set(
            rules.filter { $0["args"] == nil && $0["action"] as? String == "SCMP_ACT_ALLOW" }
                .flatMap { $0["names"] as? [String] ?? [] })
        let never = [
            "io_uring_setup", "ptrace", "keyctl", "add_key", "request_key", "userfaultfd", "bpf", "perf_event_open",
            "unshare", "setns", "mount", "umount2", "pivot_root", "kexec_load", "process_vm_readv", "clone", "clone3",
            "socket", "ioctl", "personality", "open_by_handle_at", "init_module", "reboot", "chroot", "modify_ldt",
            "vmsplice", "memfd_secret", "pidfd_getfd", "mknod", "mknodat", "cachestat",
            "prlimit64", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "mbind", "swapon",
            "clock_settime", "iopl", "acct", "quotactl",
        ]
        #expect(free.isDisjoint(with: never))
        #expect(free.isSuperset(of: ["read", "write", "execve", "openat", "futex", "wait4", "mmap"]))
        #expect(JobSeccomp.json(profile).utf8.count < 32 * 1024)
    }
}
