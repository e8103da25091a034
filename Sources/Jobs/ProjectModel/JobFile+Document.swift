// JobFile+Document: a job file as a document again, the shortest that means the same. Platforms are always written: on
// another machine their default is another.

import Documents
import JobModel

extension JobFile {
    /// `JobFile.parse` reads the same file from it. Keys stand in a fixed order, names of variables in theirs.
    var document: SpecValue {
        var map = DocumentMap()
        map.add("project", project == JobFile.defaultProject ? nil : .text(project))
        map.add("name", .text(name))
        map.add("image", .text(image))
        map.add("platform", .text(platform.rawValue))
        map.add("profile", profile == .strict ? nil : .text(profile.rawValue))
        map.add("resources", resources == Resources() ? nil : resources.document)
        map.add("timeout", timeout == 3600 ? nil : .seconds(timeout))
        map.add("silence_timeout", silenceTimeout == 0 ? nil : .seconds(silenceTimeout))
        map.add("priority", schedule.priority == 50 ? nil : .number(schedule.priority))
        map.add("group", schedule.group.map { .text($0) })
        map.add("cancel_in_progress", schedule.cancelInProgress ? SpecValue(.bool(true)) : nil)
        map.add("needs", schedule.needs.isEmpty ? nil : SpecValue(.list(schedule.needs.map { .number($0) })))
        map.add("when", schedule.when == .allSuccess ? nil : .text(schedule.when.rawValue))
        map.add("queue_timeout", schedule.queueTimeout == 0 ? nil : .seconds(schedule.queueTimeout))
        map.add("retries", schedule.retries.map { .number($0) })
        map.add("tags", schedule.tags.isEmpty ? nil : .texts(schedule.tags))
        map.add("env", env.isEmpty ? nil : .environment(env))
        map.add("steps", SpecValue(.list(steps.enumerated().map { $1.document(index: $0) })))
        return map.value
    }
}

extension JobFile.Resources {
    fileprivate var document: SpecValue {
        var map = DocumentMap()
        let isWhole = cpuMillis % 1000 == 0
        map.add("cpus", isWhole ? .number(cpuMillis / 1000) : SpecValue(.float(Double(cpuMillis) / 1000)))
        map.add("memory", .bytes(memory))
        map.add("pids", .number(pids))
        map.add("disk", .bytes(disk))
        map.add("gpus", gpus == 0 && gpuVendor == nil ? nil : .number(gpus))
        map.add("gpu_vendor", gpuVendor.map { .text($0.rawValue) })
        return map.value
    }
}

extension JobFile.Step {
    fileprivate func document(index: Int) -> SpecValue {
        var map = DocumentMap()
        map.add("name", name == "step \(index + 1)" ? nil : .text(name))
        map.add("run", .text(run))
        map.add("timeout", timeout == 0 ? nil : .seconds(timeout))
        map.add("continue_on_error", continueOnError ? SpecValue(.bool(true)) : nil)
        map.add("untrusted", untrusted ? SpecValue(.bool(true)) : nil)
        if !secrets.isEmpty {
            var uses = DocumentMap()
            for use in secrets.sorted(by: { $0.variable < $1.variable }) {
                var form = DocumentMap()
                form.add("secret", .text(use.name))
                form.add("as", .text(use.form.rawValue))
                uses.add(use.variable, use.form == .variable ? .text(use.name) : form.value)
            }
            map.add("secrets", uses.value)
        }
        return map.value
    }
}

/// A map in the making.
struct DocumentMap {
    private var entries: [SpecValue.Entry] = []

    /// Leaves out what is nil.
    mutating func add(_ key: String, _ value: SpecValue?) {
        if let value { entries.append(SpecValue.Entry(key: key, value: value)) }
    }

    var isEmpty: Bool { entries.isEmpty }
    var value: SpecValue { SpecValue(.map(entries)) }
}

extension SpecValue {
    static func text(_ text: String) -> SpecValue { SpecValue(.string(text)) }
    static func texts(_ texts: [String]) -> SpecValue { SpecValue(.list(texts.map { .text($0) })) }
    static func number(_ number: some BinaryInteger) -> SpecValue { SpecValue(.integer(Int64(number))) }

    static func seconds(_ seconds: UInt32) -> SpecValue { .text(Quantity.show(seconds: Int64(seconds))) }

    /// `512MiB` where a unit fits.
    static func bytes(_ bytes: UInt64) -> SpecValue {
        let shown = Quantity.show(bytes: Int64(bytes))
        return Quantity.bytes(shown) == nil ? .number(bytes) : .text(shown)
    }

    static func environment(_ variables: [JobFile.Variable]) -> SpecValue {
        var map = DocumentMap()
        for variable in variables.sorted(by: { $0.name < $1.name }) { map.add(variable.name, .text(variable.value)) }
        return map.value
    }
}
