// What there is, at the moment of a dispatch: idle runners, what the machine has left, free devices. One value lives as
// long as its transaction and is kept up with what is given away in it.

import JobModel
import Store
import Wire

/// The machine as the dispatcher sees it.
struct Floor {
    /// Whether a runner of some shape can be made.
    enum Room: Equatable {
        /// With these devices.
        case fits([String])
        case notNow(Lack)
        /// Whatever else ends: the sentence is for the job's author.
        case never(String)
    }

    /// What is missing.
    enum Lack: Equatable {
        /// It asks for more than all runners together may have.
        case size
        /// No emulator for this processor.
        case platform
        /// This host has not so many.
        case devices
        case freeDevice
        case memory
        case processors
        case hostUnknown

        /// What comes back when others end.
        var isOfResources: Bool { self == .processors || self == .memory }
    }

    /// A runner, and what it has.
    struct Occupant {
        let runner: Bytes16
        let job: UInt64?
        let resources: Resources
        let isOnItsWayOut: Bool
        /// Its removal has failed.
        let isStuck: Bool
    }

    private(set) var occupants: [Occupant] = []
    /// Runners that spawnerd has not been asked for.
    private(set) var pending: [Bytes16] = []
    private var idle: [Pool: [Bytes16]] = [:]
    /// Runners without a job, ready or on their way; by pool, oldest first.
    private(set) var spares: [Pool: [Bytes16]] = [:]
    private(set) var spareCount = 0
    /// A runner that waited has been given a job.
    private(set) var hasGivenIdle = false
    private var runners = 0
    private var usedMillis: UInt64 = 0
    private var usedMemory: UInt64 = 0
    /// Of those, which somebody asked for.
    private(set) var wanted: Set<Bytes16> = []
    private var freeDevices: [SpawnerEdge.Device] = []
    private let leases: [String: Bytes16]
    /// Vendors whose devices are kept, from everybody who is trusted no more than this.
    private var withheld: [GPUVendor: Trust] = [:]
    /// What is free as soon as the runners are gone that are on their way out.
    private var leaving = Share()
    /// Beside it: what is free when those are gone whose removal has failed.
    private var stuck = Share()
    private let host: SpawnerEdge.DescribeHost.Reply?
    private let settings: SchedulerSettings

    /// `heldDevices`: not to be asked for now. `stuck`: runners whose removal has failed, of which nobody knows when
    /// they are gone.
    init(
        _ rows: StoreTransaction, host: SpawnerEdge.DescribeHost.Reply?, settings: SchedulerSettings,
        shapes: ShapeCache, heldDevices: Set<String> = [], stuck: Set<Bytes16> = []
    ) throws {
        self.host = host
        self.settings = settings
        let leases = Dictionary(try rows.leases().map { ($0.device, $0.runner) }) { first, _ in first }
        self.leases = leases
        freeDevices = host?.devices.filter { leases[$0.id] == nil && !heldDevices.contains($0.id) } ?? []
        for row in try rows.runners() {
            runners += 1
            // Until the container is seen to be gone, what it has is not free.
            do {
                let resources = try shapes.shape(row.shape, rows).resources
                use(resources)
                let (isOut, isStuck) = (row.state == .teardown, stuck.contains(row.id))
                if isOut && !isStuck { leaving.add(resources) }
                if isOut && isStuck { self.stuck.add(resources) }
                occupants.append(
                    Occupant(
                        runner: row.id, job: isOut ? nil : row.job, resources: resources,
                        isOnItsWayOut: isOut && !isStuck, isStuck: isOut && isStuck))
            } catch StoreError.damagedRow where row.state == .teardown {
                // Given up already. What it has until then nobody can say.
            }
            if row.state == .pending { pending.append(row.id) }
            if row.job != nil || row.state == .teardown { continue }
            if row.state == .idle { idle[row.pool, default: []].append(row.id) }
            if row.state == .busy { continue }
            spares[row.pool, default: []].append(row.id)
            spareCount += 1
            if row.wanted { wanted.insert(row.id) }
        }
    }

    private mutating func use(_ resources: Resources) {
        usedMillis += UInt64(resources.cpuMillis)
        usedMemory = usedMemory.addingReportingOverflow(resources.memoryBytes).partialValue
    }

    /// What some runners have together.
    private struct Share {
        var runners = 0
        var millis: UInt64 = 0
        var memory: UInt64 = 0

        mutating func add(_ resources: Resources) {
            runners += 1
            millis += UInt64(resources.cpuMillis)
            memory = memory.addingReportingOverflow(resources.memoryBytes).partialValue
        }
    }

    var hasIdle: Bool { !idle.isEmpty }
    func hasIdle(_ pool: Pool) -> Bool { idle[pool] != nil }
    /// One more runner may exist.
    var hasPlace: Bool { runners < settings.runnerLimit }

    /// The oldest idle runner of a pool, which is idle no more.
    mutating func takeIdle(_ pool: Pool) -> Bytes16? {
        guard var waiting = idle[pool], !waiting.isEmpty else { return nil }
        let runner = waiting.removeFirst()
        hasGivenIdle = true
        idle[pool] = waiting.isEmpty ? nil : waiting
        removeSpare(runner, pool)
        return runner
    }

    /// It is on its way out.
    mutating func release(_ runner: Bytes16, _ pool: Pool, _ shape: RunnerShape) {
        leaving.add(shape.resources)
        idle[pool]?.removeAll { $0 == runner }
        if idle[pool]?.isEmpty == true { idle[pool] = nil }
        removeSpare(runner, pool)
    }

    private mutating func removeSpare(_ runner: Bytes16, _ pool: Pool) {
        guard let index = spares[pool]?.firstIndex(of: runner) else { return }
        spares[pool]?.remove(at: index)
        if spares[pool]?.isEmpty == true { spares[pool] = nil }
        spareCount -= 1
    }

    /// A runner of this shape is made, with these devices.
    mutating func take(_ shape: RunnerShape, _ devices: [String], spare: (Bytes16, Pool)? = nil) {
        runners += 1
        use(shape.resources)
        freeDevices.removeAll { devices.contains($0.id) }
        if let (runner, pool) = spare {
            spares[pool, default: []].append(runner)
            spareCount += 1
        }
    }

    /// What is not promised to anybody, for people.
    var free: String {
        guard let host else { return "unknown" }
        let millis = settings.cpuCapacity(host)
        let memory = settings.memoryCapacity(host)
        return "\(Reasons.cpus(millis - min(usedMillis, millis))) and "
            + Reasons.size(memory - min(usedMemory, memory))
    }

    /// `trust`: whose; what is kept for others is not seen by those that are trusted least.
    func room(for shape: RunnerShape, of trust: Trust = .untrusted) -> Room {
        guard let host else { return .notNow(.hostUnknown) }
        if let why = settings.neverFits(shape.resources, host) { return .never(why) }
        let asked = shape.resources
        guard host.platforms.contains(where: { $0.platform == shape.platform }) else { return .notNow(.platform) }
        guard let devices = devices(for: shape.gpus, of: trust) else { return .notNow(.freeDevice) }
        if usedMemory > settings.memoryCapacity(host) - asked.memoryBytes { return .notNow(.memory) }
        return usedMillis + UInt64(asked.cpuMillis) <= settings.cpuCapacity(host)
            ? .fits(devices) : .notNow(.processors)
    }

    /// All that is missing, and not only the first of it.
    func lacks(for shape: RunnerShape) -> [Lack] {
        guard let host else { return [.hostUnknown] }
        let (asked, isTooLarge) = (shape.resources, settings.neverFits(shape.resources, host) != nil)
        let (millis, memory) = (settings.cpuCapacity(host), settings.memoryCapacity(host))
        var found: [Lack] = isTooLarge ? [.size] : []
        if !host.platforms.contains(where: { $0.platform == shape.platform }) { found.append(.platform) }
        if let need = shape.gpus, vendorToKeep(for: need) == nil {
            found.append(.devices)
        } else if devices(for: shape.gpus, of: .untrusted) == nil {
            found.append(.freeDevice)
        }
        if isTooLarge { return found }
        if usedMemory > memory - asked.memoryBytes { found.append(.memory) }
        if usedMillis + UInt64(asked.cpuMillis) > millis { found.append(.processors) }
        return found
    }

    /// A runner of this shape can be made when those are gone that are on their way out; `countingStuck`: and those
    /// whose removal has failed.
    func hasRoomSoon(for shape: RunnerShape, countingStuck: Bool = false) -> Bool {
        guard let host else { return false }
        let asked = shape.resources
        let more = countingStuck ? stuck : Share()
        return runners - leaving.runners - more.runners < settings.runnerLimit
            && usedMillis - min(leaving.millis + more.millis, usedMillis) + UInt64(asked.cpuMillis)
                <= settings.cpuCapacity(host)
            && usedMemory - min(leaving.memory + more.memory, usedMemory) + asked.memoryBytes
                <= settings.memoryCapacity(host)
    }

    /// A runner of this shape could be made if these were gone.
    func hasRoom(for shape: RunnerShape, without gone: Set<Bytes16>) -> Bool {
        var left = self
        for occupant in occupants where gone.contains(occupant.runner) {
            left.usedMillis -= min(left.usedMillis, UInt64(occupant.resources.cpuMillis))
            left.usedMemory -= min(left.usedMemory, occupant.resources.memoryBytes)
        }
        left.freeDevices += host?.devices.filter { leases[$0.id].map { gone.contains($0) } ?? false } ?? []
        left.withheld = [:]
        if case .fits = left.room(for: shape) { return true }
        return false
    }

    /// Whose devices a job waits for that needs more of them than are free: the same at each look. nil if this host
    /// does not have so many.
    func vendorToKeep(for need: GPUs) -> GPUVendor? {
        let vendors: [GPUVendor] = need.vendor.map { [$0] } ?? [.nvidia, .amd, .intel]
        let counts = vendors.map { vendor in (vendor, host?.devices.count { $0.vendor == vendor } ?? 0) }
        return counts.filter { $0.1 >= Int(need.count) }.max { $0.1 < $1.1 }?.0
    }

    /// Devices that are kept for one are those that the other would get.
    func keeps(for large: GPUs?, from other: GPUs?) -> Bool {
        guard let large, let other, let vendor = vendorToKeep(for: large) else { return false }
        var left = self
        left.withhold(vendor, from: .trusted)
        return left.devices(for: other, of: .untrusted) == nil
    }

    /// Nobody else gets a device of this vendor who is trusted no more than that.
    mutating func withhold(_ vendor: GPUVendor, from trust: Trust) {
        if withheld[vendor].map({ trust.rawValue < $0.rawValue }) ?? true { withheld[vendor] = trust }
    }

    /// Free ones of one vendor, in their order; nil if there are too few.
    private func devices(for need: GPUs?, of trust: Trust) -> [String]? {
        guard let need, need.count > 0 else { return [] }
        let vendors: [GPUVendor] = need.vendor.map { [$0] } ?? [.nvidia, .amd, .intel]
        for vendor in vendors where withheld[vendor].map({ trust.rawValue < $0.rawValue }) ?? true {
            let free = freeDevices.filter { $0.vendor == vendor }
            if free.count >= Int(need.count) { return free.prefix(Int(need.count)).map(\.id) }
        }
        return nil
    }
}
