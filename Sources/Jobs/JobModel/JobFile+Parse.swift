// JobFile+Parse: from a document to a JobFile, or to all of its mistakes at once.

package import Documents

extension JobFile {
    package static let keys =
        [
            "project", "name", "image", "platform", "profile", "resources", "timeout", "silence_timeout", "env",
            "steps",
        ] + scheduleKeys
    static let shapeKeys = ["image", "platform", "profile", "resources"]

    /// Reads a job file. Every mistake is reported, each with its key and, where known, its line and the mend.
    package static func parse(_ document: SpecValue) -> Result<JobFile, JobFileProblems> {
        var reader = SpecReader()
        guard let map = reader.map(document, at: "", keys: keys) else {
            return .failure(reader.found)
        }
        let image = reader.image(map["image"], document: document)
        let steps = reader.steps(map["steps"], document: document)
        // An image's name may be longer than a job's.
        let name = String((image ?? "job").prefix(Bounds.nameBytes))
        var file = JobFile(name: name, image: image ?? "", steps: steps)
        if let value = map["project"], let project = reader.project(value) { file.project = project }
        if let value = map["name"], let name = reader.text(value, at: "name", bytes: 1...Bounds.nameBytes) {
            file.name = name
        }
        if let value = map["platform"], let platform = reader.word(value, at: "platform", Platform.self) {
            file.platform = platform
        }
        if let value = map["profile"], let profile = reader.word(value, at: "profile", Profile.self) {
            file.profile = profile
        }
        if let value = map["timeout"], let timeout = reader.seconds(value, at: "timeout") { file.timeout = timeout }
        if let value = map["silence_timeout"], let seconds = reader.seconds(value, at: "silence_timeout") {
            file.silenceTimeout = seconds
        }
        file.schedule = reader.schedule(map)
        if let value = map["resources"] { file.resources = reader.resources(value) }
        if let value = map["env"] { file.env = reader.environment(value) }
        reader.compare(file, steps: map["steps"])
        return reader.problems.isEmpty ? .success(file) : .failure(reader.found)
    }

    /// Reads the shape of a runner alone (`POST /runners`): image, platform, profile, resources.
    package static func parseShape(_ document: SpecValue) -> Result<JobFile, JobFileProblems> {
        var reader = SpecReader()
        guard let map = reader.map(document, at: "", keys: shapeKeys) else {
            return .failure(reader.found)
        }
        var entries = [SpecValue.Entry(key: "steps", value: SpecValue(.list([SpecValue(.string("true"))])))]
        for key in shapeKeys {
            if let value = map[key] { entries.append(.init(key: key, value: value)) }
        }
        let parsed = parse(SpecValue(.map(entries), place: document.place))
        guard !reader.problems.isEmpty else { return parsed }
        if case .failure(let rest) = parsed { reader.report(rest) }
        return .failure(reader.found)
    }
}

extension SpecReader {
    mutating func project(_ value: SpecValue) -> String? {
        guard let project = text(value, at: "project", bytes: 1...JobFile.Bounds.secretNameBytes) else { return nil }
        if JobFile.isProjectName(project) { return project }
        report(
            "project", value.place,
            "is not a project's name; use a to z, digits and . _ - and begin with a letter or digit")
        return nil
    }

    mutating func image(_ value: SpecValue?, document: SpecValue) -> String? {
        guard let value else {
            report("image", document.place, "is missing; name the container image, for example bulkhead/busybox")
            return nil
        }
        guard let image = text(value, at: "image", bytes: 1...JobFile.Bounds.imageBytes) else { return nil }
        guard JobFile.isImageName(image) else {
            report("image", value.place, "is not an image name; write it like bulkhead/debian:latest")
            return nil
        }
        return image
    }

    package mutating func seconds(_ value: SpecValue, at path: String) -> UInt32? {
        number(
            value, at: path, in: JobFile.Bounds.timeout, example: "90s, 10m or 2h",
            show: Quantity.show(seconds:)
        ) { content in
            switch content {
            case .integer(let number): number
            case .string(let text): Quantity.seconds(text)
            default: nil
            }
        }.map(UInt32.init)
    }

    mutating func size(_ value: SpecValue, at path: String, in range: ClosedRange<Int64>) -> UInt64? {
        number(value, at: path, in: range, example: "512MiB or 2GiB", show: Quantity.show(bytes:)) { content in
            switch content {
            case .integer(let number): number
            case .string(let text): Quantity.bytes(text)
            default: nil
            }
        }.map(UInt64.init)
    }

    private static let resourceKeys = ["cpus", "memory", "pids", "disk", "gpus", "gpu_vendor"]

    mutating func resources(_ value: SpecValue) -> JobFile.Resources {
        var resources = JobFile.Resources()
        guard let map = map(value, at: "resources", keys: Self.resourceKeys) else { return resources }
        if let cpus = map["cpus"] {
            let millis = number(
                cpus, at: "resources.cpus", in: JobFile.Bounds.cpuMillis, example: "2 or 0.5",
                show: Quantity.show(cpuMillis:)
            ) { content in
                switch content {
                case .integer(let number): Quantity.cpuMillis(Double(number))
                case .float(let number): Quantity.cpuMillis(number)
                default: nil
                }
            }
            if let millis { resources.cpuMillis = UInt32(millis) }
        }
        if let pids = map["pids"],
            let count = integer(pids, at: "resources.pids", in: JobFile.Bounds.pids, example: "256")
        {
            resources.pids = UInt32(count)
        }
        if let gpus = map["gpus"],
            let count = integer(gpus, at: "resources.gpus", in: JobFile.Bounds.gpus, example: "1")
        {
            resources.gpus = UInt8(count)
        }
        if let value = map["gpu_vendor"],
            let vendor = word(value, at: "resources.gpu_vendor", JobFile.GPUVendor.self)
        {
            resources.gpuVendor = vendor
            if map["gpus"] == nil {
                report("resources.gpu_vendor", value.place, "says nothing without gpus; add gpus: 1")
            }
        }
        var memoryIsKnown = true
        if let memory = map["memory"] {
            let bytes = size(memory, at: "resources.memory", in: JobFile.Bounds.memory)
            resources.memory = bytes ?? resources.memory
            memoryIsKnown = bytes != nil
        }
        if let disk = map["disk"], let bytes = size(disk, at: "resources.disk", in: JobFile.Bounds.disk) {
            resources.disk = bytes
            if memoryIsKnown && resources.disk > resources.memory {
                let memory = Quantity.show(bytes: Int64(resources.memory))
                report(
                    "resources.disk", disk.place,
                    "is more than resources.memory (\(memory)), but /job and /tmp live in memory; raise memory or "
                        + "lower disk")
            }
        } else {
            // The default disk is never a reason to refuse a small job.
            resources.disk = min(resources.disk, resources.memory / 2)
        }
        return resources
    }

    package mutating func environment(_ value: SpecValue, at key: String = "env") -> [JobFile.Variable] {
        guard case .map(let entries) = value.content else {
            report(key, value.place, "must be a mapping of names to texts; it is \(value.kind)")
            return []
        }
        if entries.count > JobFile.Bounds.variables {
            report(key, value.place, "has \(entries.count) variables; at most \(JobFile.Bounds.variables) fit")
        }
        var variables: [JobFile.Variable] = []
        for entry in entries.prefix(JobFile.Bounds.variables) {
            let path = "\(key).\(Self.shown(entry.key))"
            if let problem = Self.variableNameProblem(entry.key) {
                report(path, entry.place, problem)
            } else if variables.contains(where: { $0.name == entry.key }) {
                report(path, entry.place, "is given twice; keep one")
            } else if let text = text(entry.value, at: path, bytes: 0...JobFile.Bounds.variableValueBytes) {
                variables.append(JobFile.Variable(name: entry.key, value: text))
            }
        }
        return variables
    }

    static func variableNameProblem(_ name: String) -> String? {
        let good = name.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
            default: false
            }
        }
        if !good || name.isEmpty || name.utf8.count > JobFile.Bounds.variableNameBytes {
            return "is not a variable name; use letters, digits and _, not beginning with a digit"
        }
        let isReserved = name == "BULKHEAD" || name.hasPrefix("BULKHEAD_")
        return isReserved ? "is reserved; BULKHEAD and names that begin with BULKHEAD_ are set by Bulkhead" : nil
    }
}
