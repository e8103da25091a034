// What keeps a job in line from a runner: decided here and nowhere else, without a look at anything but its arguments.
// Explain has the words for it, QueueMetrics counts.

import Wire

enum Hindrance: Equatable {
    case draining
    case brokerIsAway
    case spawnerIsAway
    case relayIsAway
    case engine
    /// spawnerd has heard of a schedulerd of a later epoch, and makes nothing for this one.
    case superseded
    /// brokerd releases nothing to a job that needs a grant.
    case release
    /// brokerd prepares no runner.
    case preparation
    /// It asks for more than all runners together may have.
    case tooLarge
    case platform
    /// This host has not so many.
    case noSuchDevice
    /// No runner of its kind could be made when it was last tried, and another try will not mend that.
    case refusedKind
    case places
    case processors
    case memory
    case noFreeDevice
    /// What it needs is held by runners that are on their way out.
    case leftovers

    /// Waiting does not mend it.
    var isLasting: Bool {
        switch self {
        case .tooLarge, .platform, .noSuchDevice, .refusedKind: true
        default: false
        }
    }

    /// It keeps more jobs than those of one kind.
    var isOfHouse: Bool {
        switch self {
        case .draining, .brokerIsAway, .spawnerIsAway, .relayIsAway, .engine, .superseded, .release, .preparation: true
        default: false
        }
    }

    /// Who is away, or does not do its work.
    struct House {
        var isDraining = false
        var brokerIsUsable = true
        var spawnerIsReady = true
        var relayIsReady = true
        var engineHasTrouble = false
        var isSuperseded = false
        var releaseHasTrouble = false
        var preparationHasTrouble = false
    }

    /// What there is for one job.
    struct Chance {
        var needsGrant = false
        var hasIdle = false
        var hasPlace = true
        var lacks: [Floor.Lack] = []
        /// When the runners on their way out are gone, neither a place nor resources are missing.
        var hasRoomSoon = true
        var isRefusedKind = false
    }

    /// All that is in its way, the most permanent first. What comes and goes with others' jobs is no news beside what
    /// does not pass by itself. Empty: nothing is, but for those that are served before.
    static func all(_ house: House, _ chance: Chance) -> [Hindrance] {
        let lasting = chance.hasIdle ? [] : lasting(chance)
        let ofHouse = ofHouse(house).filter { $0 != .release || chance.needsGrant }
        if chance.hasIdle || !lasting.isEmpty { return lasting + ofHouse }
        // Nothing is removed while these are in the way, and nothing else has to be said.
        let isStuck = !house.spawnerIsReady || house.engineHasTrouble
        return ofHouse + passing(chance).filter { !(isStuck && $0 == .leftovers) }
    }

    /// What keeps more than one job.
    static func ofHouse(_ house: House) -> [Hindrance] {
        var found: [Hindrance] = []
        if house.isDraining { found.append(.draining) }
        if !house.brokerIsUsable { found.append(.brokerIsAway) }
        if !house.spawnerIsReady { found.append(.spawnerIsAway) }
        if !house.relayIsReady { found.append(.relayIsAway) }
        if house.spawnerIsReady && house.isSuperseded { found.append(.superseded) }
        if house.spawnerIsReady && house.engineHasTrouble { found.append(.engine) }
        if house.releaseHasTrouble { found.append(.release) }
        if house.preparationHasTrouble { found.append(.preparation) }
        return found
    }

    /// What waiting does not mend.
    private static func lasting(_ chance: Chance) -> [Hindrance] {
        let found: [Hindrance] = chance.lacks.compactMap { lack in
            switch lack {
            case .size: .tooLarge
            case .platform: .platform
            case .devices: .noSuchDevice
            case .freeDevice, .memory, .processors, .hostUnknown: nil
            }
        }
        return found + (chance.isRefusedKind ? [.refusedKind] : [])
    }

    /// What comes back when others end.
    private static func passing(_ chance: Chance) -> [Hindrance] {
        var found: [Hindrance] = chance.lacks.contains(.freeDevice) ? [.noFreeDevice] : []
        var room: [Hindrance] = chance.hasPlace ? [] : [.places]
        if let lack = chance.lacks.first(where: \.isOfResources) {
            room.append(lack == .memory ? .memory : .processors)
        }
        if !room.isEmpty { found += chance.hasRoomSoon ? [.leftovers] : room }
        return found
    }

    /// As `bulkhead why` and the labels of metrics name it.
    var kind: SchedulerEdge.WhyKind {
        switch self {
        case .draining: .draining
        case .brokerIsAway: .brokerdIsAway
        case .spawnerIsAway: .spawnerdIsAway
        case .relayIsAway: .relaydIsAway
        case .engine: .engineUnavailable
        case .superseded: .runnerCannotBeMade
        case .release, .preparation: .nothingIsReleased
        case .refusedKind: .runnerCannotBeMade
        case .places, .leftovers: .allRunnersInUse
        case .tooLarge, .processors, .memory: .notEnoughResources
        case .platform: .platformNotAvailable
        case .noSuchDevice: .noSuchDevice
        case .noFreeDevice: .noFreeDevice
        }
    }
}
