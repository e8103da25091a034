// Descriptors in the loop.
import CLinux
import Glibc

extension PollLoop {
    /// Calls `handler` whenever the descriptor is ready for what `interest` names (level-triggered). The loop does not
    /// own it: `unwatch` it before it is closed. With no interest at all nothing is reported, hang-ups included.
    ///
    /// Regular files cannot be watched (EPERM).
    package func watch(
        _ raw: Int32, _ interest: Interest, _ handler: @escaping (Interest) -> Void
    ) throws(PosixError) {
        if raw < 0 { throw .system(call: "watch", errno: EBADF) }
        while slots.count <= Int(raw) { slots.append(Slot()) }
        let index = Int(raw)
        let key = Self.key(raw, slots[index].generation &+ 1)
        if !interest.isEmpty { try register(raw, interest, key) }
        slots[index].generation &+= 1
        slots[index].interest = interest
        slots[index].registered = !interest.isEmpty
        slots[index].handler = handler
    }

    /// Changes what the watcher is told. Cheap when nothing changes.
    package func change(_ raw: Int32, _ interest: Interest) throws(PosixError) {
        guard raw >= 0, Int(raw) < slots.count, slots[Int(raw)].handler != nil else {
            throw .system(call: "change", errno: ENOENT)
        }
        let slot = slots[Int(raw)]
        if slot.interest == interest { return }
        let operation: Int32 = interest.isEmpty ? 2 : slot.registered ? 3 : 1
        let key = Self.key(raw, slot.generation)
        let result = bh_epoll_control(epoll.raw, operation, raw, interest.rawValue, key)
        if result < 0 { throw .system(call: "epoll_ctl", errno: -result) }
        slots[Int(raw)].interest = interest
        slots[Int(raw)].registered = !interest.isEmpty
    }

    /// Takes the descriptor out. Safe inside any handler: what this pass still holds for it is dropped. Unknown ones
    /// are ignored.
    package func unwatch(_ raw: Int32) {
        guard raw >= 0, Int(raw) < slots.count, slots[Int(raw)].handler != nil else { return }
        // The result does not matter: if the descriptor was closed before, the kernel has forgotten it already.
        if slots[Int(raw)].registered { _ = bh_epoll_control(epoll.raw, 2, raw, 0, 0) }
        slots[Int(raw)].generation &+= 1
        slots[Int(raw)].interest = []
        slots[Int(raw)].registered = false
        slots[Int(raw)].handler = nil
    }

    /// Whether the descriptor is in the loop.
    package func isWatched(_ raw: Int32) -> Bool {
        raw >= 0 && Int(raw) < slots.count && slots[Int(raw)].handler != nil
    }

    private func register(_ raw: Int32, _ interest: Interest, _ key: UInt64) throws(PosixError) {
        let result = bh_epoll_control(epoll.raw, 1, raw, interest.rawValue, key)
        if result == -17 { throw .alreadyWatched(raw) }  // EEXIST
        if result < 0 { throw .system(call: "watch", errno: -result) }
    }

    @inline(__always)
    private static func key(_ raw: Int32, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: raw))
    }

    @inline(__always)
    func dispatch(_ key: UInt64, _ events: UInt32) {
        let index = Int(UInt32(truncatingIfNeeded: key))
        let slot = slots[index]
        guard slot.generation == UInt32(truncatingIfNeeded: key >> 32), let handler = slot.handler else { return }
        let told = slot.interest.told(of: events)
        if !told.isEmpty { handler(told) }
    }
}
