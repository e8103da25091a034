// Who the steps of a job run as. Trusted and untrusted steps are apart by the kernel's oldest wall, the user.

import CLinux
package import Posix
package import Processes
package import Wire

/// What this runner can do, and so which jobs it takes.
package struct StepUsers: Sendable {
    package static let trusted = ChildUser(uid: 1000, gid: 1000)
    package static let untrusted = ChildUser(uid: 2000, gid: 2000)

    private let isRoot: Bool
    private let canChange: Bool

    /// Asks the kernel what this process holds.
    package init() throws(PosixError) {
        var (effective, permitted, inheritable): (UInt64, UInt64, UInt64) = (0, 0, 0)
        let result = bh_get_capabilities(&effective, &permitted, &inheritable)
        guard result >= 0 else { throw .system(call: "capget", errno: -result) }
        self.init(isRoot: Posix.userID == 0, capabilities: effective)
    }

    package init(isRoot: Bool, capabilities: UInt64) {
        self.isRoot = isRoot
        // CAP_KILL, CAP_SETGID, CAP_SETUID: without the first, what a step of another user leaves would outlive it.
        let needed: UInt64 = 1 << 5 | 1 << 6 | 1 << 7
        canChange = isRoot && capabilities & needed == needed
    }

    /// The user of a step; nil: the runner's own.
    package func user(of step: Step, _ profile: Profile) -> ChildUser? {
        if step.untrusted { return Self.untrusted }
        return trustedUser(profile)
    }

    /// In profile build, trusted steps install packages: they stay root.
    package func trustedUser(_ profile: Profile) -> ChildUser? {
        isRoot && profile == .strict ? Self.trusted : nil
    }

    /// Why this runner must not run this definition; nil if it may. schedulerd and brokerd have asked the same: here it
    /// is not believed.
    package func problem(with definition: JobDefinition) -> String? {
        let spec = definition.spec
        if spec.isSplit && !canChange {
            return "the job has an untrusted step, and this runner cannot start a step as another user"
        }
        if isRoot && !canChange && spec.shape.profile == .strict {
            return "the runner is root and cannot start a step as another user"
        }
        for (index, step) in spec.steps.enumerated() {
            if step.untrusted && !step.secrets.isEmpty {
                return "step \(index + 1) '\(step.name)' is untrusted and names a secret"
            }
            if let variable = Self.badVariable(step) {
                return "step \(index + 1) '\(step.name)' cannot take a secret as '\(variable)'"
            }
        }
        return nil
    }

    /// A variable that is no name, is Bulkhead's own, or takes two secrets. As the name of a file it must not lead
    /// anywhere either.
    private static func badVariable(_ step: Step) -> String? {
        var seen: Set<String> = []
        for use in step.secrets {
            let bytes = Array(use.variable.utf8)
            let isName = bytes.allSatisfy {
                (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
            }
            let beginsWell = bytes.first.map { !(0x30...0x39).contains($0) } ?? false
            let isOurs = use.variable == "BULKHEAD" || use.variable.hasPrefix("BULKHEAD_")
            if !isName || !beginsWell || isOurs || !seen.insert(use.variable).inserted { return use.variable }
        }
        return nil
    }
}
