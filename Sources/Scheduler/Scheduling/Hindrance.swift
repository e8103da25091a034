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
    case places
    case processors
    case memory
    case platform
    /// This host has not so many.
    case noSuchDevice
    case noFreeDevice

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
        var room = Floor.Room.fits([])
        /// The host has as many devices as it asks for, free or not.
        var hasDevices = true
    }

    /// What has to change first comes first. Empty: nothing does, but for those that are served before.
    static func all(_ house: House, _ chance: Chance) -> [Hindrance] {
        var found = ofHouse(house).filter { $0 != .release || chance.needsGrant }
        if !chance.hasIdle, let lack = lack(chance) { found.append(lack) }
        return found
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

    /// What this machine will never have comes before what it has not just now.
    private static func lack(_ chance: Chance) -> Hindrance? {
        switch chance.room {
        case .never, .notNow(.hostUnknown): nil
        case .notNow(.platform): .platform
        case .notNow(.device): chance.hasDevices ? .noFreeDevice : .noSuchDevice
        case .fits: chance.hasPlace ? nil : .places
        case .notNow(.processors): chance.hasPlace ? .processors : .places
        case .notNow(.memory): chance.hasPlace ? .memory : .places
        }
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
        case .places: .allRunnersInUse
        case .processors, .memory: .notEnoughResources
        case .platform: .platformNotAvailable
        case .noSuchDevice: .noSuchDevice
        case .noFreeDevice: .noFreeDevice
        }
    }
}
