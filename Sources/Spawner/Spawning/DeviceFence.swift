// Which GPU is in which runner: exclusive, whatever a scheduler believes. As GrantFence, filled from the labels when
// spawnerd starts, and before anything is asked of the engine.

import Wire

/// Lives on the loop's thread.
struct DeviceFence {
    /// More than one only where labels say so.
    private var holders: [String: Set<Bytes16>] = [:]

    /// No other runner holds one of them.
    func areFree(_ devices: [String], for runner: Bytes16) -> Bool {
        devices.allSatisfy { holders[$0, default: [runner]] == [runner] }
    }

    /// A container has them, or is about to.
    mutating func take(_ devices: [String], for runner: Bytes16) {
        for device in devices { holders[device, default: []].insert(runner) }
    }

    /// The runner's container is gone, or never was.
    mutating func release(_ runner: Bytes16) {
        holders = holders.mapValues { $0.subtracting([runner]) }.filter { !$0.value.isEmpty }
    }

    func isHeld(_ device: String) -> Bool { holders[device] != nil }
}
