// Each system call that there is, in a child of its own: whatever the profile does not name must end the child, not
// only what somebody has thought of. The arguments are nonsense, so that nothing comes of a call that gets through.

import CSeccomp
import CVictim
import Glibc
import Sandbox

struct EveryCall {
    let profile: Profile
    let confine: () throws -> Void

    /// Prints `NUMBER NAME OUTCOME` for each call: `killed`, `refused ERROR`, `made`, or `skipped` for what a line
    /// permits as it is.
    func run() throws {
        let rules = try profile.rules()
        for number in 0..<Int32(512) {
            guard let found = seccomp_syscall_resolve_num_arch(UInt32(SCMP_ARCH_NATIVE), number) else { continue }
            let name = String(cString: found)
            free(found)
            if rules.contains(where: { $0.call == name && $0.refusal == nil && $0.conditions.isEmpty }) {
                say("\(number) \(name) skipped")
                continue
            }
            say("\(number) \(name) \(attempt(number))")
        }
    }

    private func attempt(_ number: Int32) -> String {
        var order = Order(number: number, confine: confine)
        let status = withUnsafeMutablePointer(to: &order) { pointer in
            victim_in_child(
                { raw in
                    guard let order = raw?.assumingMemoryBound(to: Order.self) else { return }
                    order.pointee.carryOut()
                }, pointer)
        }
        if status < 0 { return "error \(status)" }
        if status & 0x7f == SIGSYS { return "killed" }
        if status & 0x7f != 0 { return "signal \(status & 0x7f)" }
        switch status >> 8 {
        case 0: return "made"
        case 38: return "refused ENOSYS"
        case 13: return "refused EACCES"
        case let other: return "error \(other)"
        }
    }

    private struct Order {
        let number: Int32
        let confine: () throws -> Void

        /// Ends the process: 0 if the call came to the kernel's own code, the error if it was refused by the filter.
        func carryOut() {
            do { try confine() } catch { _exit(99) }
            // No argument is a valid address, descriptor or flag.
            let bad = Int(-3)
            let result = victim_call(Int(number), bad, bad, bad, bad, bad, bad)
            _exit(result == -Int(ENOSYS) ? ENOSYS : result == -Int(EACCES) ? EACCES : 0)
        }
    }
}
