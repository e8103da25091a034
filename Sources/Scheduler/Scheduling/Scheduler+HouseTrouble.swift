// What is wrong with the house, and since when: what keeps more than one job from a runner.

import Link
import Store
import Wire

extension Scheduler {
    var house: Hindrance.House {
        let isSuperseded = engineTrouble?.place == "epoch"
        return Hindrance.House(
            isDraining: isDraining, brokerIsUsable: brokerIsUsable, spawnerIsReady: spawner.isReady,
            relayIsReady: relay.isReady,
            engineHasTrouble: engine.isSilent || engineTrouble != nil && !isSuperseded, isSuperseded: isSuperseded,
            releaseHasTrouble: release.failure != nil, preparationHasTrouble: preparation.failure != nil)
    }

    /// In each pass of the loop, so that no path forgets to say when something began.
    func noteTroubles() {
        let found = Hindrance.ofHouse(house)
        if found.count == troubles.count && found.allSatisfy({ troubles[$0] != nil }) { return }
        let now = wall()
        troubles = Dictionary(uniqueKeysWithValues: found.map { ($0, troubles[$0] ?? now) })
    }

    func houseWords(_ hindrance: Hindrance) -> Why {
        var why = words(hindrance)
        why.sinceMs = troubles[hindrance] ?? 0
        return why
    }

    private func words(_ hindrance: Hindrance) -> Why {
        switch hindrance {
        case .draining: return Why(.draining, "the house is draining: no job begins", "bulkhead drain --off")
        case .brokerIsAway:
            return Why(
                .brokerdIsAway, "brokerd is away, and nothing begins without its word",
                "see why: bulkhead status, brokerd's log")
        case .spawnerIsAway:
            return Why(
                .spawnerdIsAway, "spawnerd is away, which alone makes containers",
                "see why: bulkhead status, spawnerd's log")
        case .relayIsAway:
            return Why(
                .relaydIsAway, "relayd is away, which alone speaks with runners",
                "see why: bulkhead status, relayd's log")
        case .engine:
            let text = (engine.silence(at: now) ?? engineTrouble).map { Reasons.waitsForEngine($0) }
            return Why(
                hindrance.kind, text ?? "", "start or mend the container engine; the job goes on by itself")
        case .superseded:
            return Why(
                hindrance.kind, Reasons.superseded,
                "end the other schedulerd; if there is none, the database is an older one: restart spawnerd")
        case .release:
            let text = release.failure.map { Reasons.waitsForGrant($0) }
            return Why(hindrance.kind, text ?? "", "make room for brokerd's audit log")
        case .preparation:
            let text = preparation.failure.map { Reasons.waitsForPreparation($0) }
            return Why(hindrance.kind, text ?? "", "make room on brokerd's tmpfs")
        case .tooLarge, .platform, .noSuchDevice, .refusedKind, .places, .processors, .memory, .noFreeDevice,
            .leftovers:
            // Not of the house.
            return Why(hindrance.kind, "", "")
        }
    }
}
