// What spawnerd finds on its host, once, before it confines itself: from then on it opens no file any more. A device or
// an emulator that comes later is found after a restart, which no job notices.

package import SpawnPolicy

package struct HostFindings {
    /// Something that is there and cannot be used: for the log.
    package struct Problem: Equatable, Sendable {
        package let place: String
        package let error: TreeError
    }

    package let inventory: HostInventory
    package let gauges: DeviceGauges
    package let problems: [Problem]

    /// What a message can carry.
    private static let most = 64

    /// Looks at everything; what is wrong with one device hides no other. Throws if there is no such tree.
    package static func read(_ path: String) throws(TreeError) -> HostFindings {
        let tree = try HostTree(path)
        var problems: [Problem] = []
        /// What could be used, or nil with a note.
        func attempt<Value>(_ place: String, _ body: () throws(TreeError) -> Value) -> Value? {
            do { return try body() } catch {
                problems.append(Problem(place: place, error: error))
                return nil
            }
        }
        let emulated = Emulators.names.filter { name, _ in
            attempt("\(Emulators.place)/\(name)") { () throws(TreeError) in
                try Emulators.isUsable(name, tree)
            } ?? false
        }
        var found: [(device: HostDevice, files: String)] = []
        for (place, device) in [(NVIDIACards.place, NVIDIACards.device), (RenderNodes.place, RenderNodes.device)] {
            let names = attempt(place) { () throws(TreeError) in try tree.names(place) } ?? []
            for name in names {
                let one = attempt("\(place)/\(name)") { () throws(TreeError) in try device(name, tree) } ?? nil
                if let one { found.append((one, "\(place)/\(name)/device")) }
            }
        }
        let kept = distinct(found, &problems)
        let gauges = DeviceGauges()
        for (device, files) in kept where device.vendor == .amd { gauges.add(device.id, files, tree) }
        let inventory = HostInventory(emulated: emulated.map(\.value), devices: kept.map(\.device))
        return HostFindings(inventory: inventory, gauges: gauges, problems: problems)
    }

    /// Two that say they are one are none: which of them a lease is for, nobody could tell.
    private static func distinct(
        _ found: [(device: HostDevice, files: String)], _ problems: inout [Problem]
    ) -> [(device: HostDevice, files: String)] {
        let groups = Dictionary(grouping: found, by: \.device.id).sorted { $0.key < $1.key }
        for (id, same) in groups where same.count > 1 {
            problems.append(Problem(place: id, error: .malformed("\(same.count) devices have this id")))
        }
        let kept = groups.filter { $0.value.count == 1 }.flatMap(\.value)
        if kept.count > most { problems.append(Problem(place: "more than \(most) devices", error: .tooLarge)) }
        return Array(kept.prefix(most))
    }
}
