// ProjectRunner: that a project's GitLab has a runner here, and how its jobs run. What a job asks for itself is in its
// `.gitlab-ci.yml`; here is only what that does not say.

import Documents
package import JobModel

package struct ProjectRunner: Equatable, Sendable {
    /// One runner for all jobs, or one for each, which goes with it.
    package enum Registration: String, CaseIterable, Sendable {
        case pool
        case runner
    }

    package var tags: [String] = []
    package var runUntagged = false
    package var registration = Registration.pool
    /// Jobs of protected branches and tags alone.
    package var protectedOnly = false
    /// What a job may name; none: any.
    package var images: [ImagePattern] = []
    /// Its image, platform, profile, resources, timeout and priority are those of a job that does not say otherwise;
    /// it may ask for another image and for less time.
    package var job: JobFile

    package static let imagesAtMost = 32

    init(job: JobFile) { self.job = job }
}

extension SpecReader {
    private static let jobKeys = ["image", "platform", "profile", "resources", "timeout", "priority"]

    /// `{image: debian, tags: [bulkhead]}`
    mutating func runner(_ value: SpecValue, at path: String) -> ProjectRunner? {
        let keys = ["tags", "run_untagged", "registration", "protected_only", "images"] + Self.jobKeys
        guard let map = map(value, at: path, keys: keys) else { return nil }
        _ = required("image", of: map, in: value, at: path, "it is the image of jobs that name none")
        var entries = Self.jobKeys.compactMap { key in map[key].map { SpecValue.Entry(key: key, value: $0) } }
        if map["image"] == nil { entries.append(.init(key: "image", value: .text("none"))) }
        entries.append(.init(key: "steps", value: .texts(["none"])))
        guard let job = take(JobFile.parse(SpecValue(.map(entries), place: value.place)), at: path) else { return nil }
        var runner = ProjectRunner(job: job)
        if let value = map["tags"] {
            for (index, item) in (list(value, at: "\(path).tags", of: "tags", limit: JobFile.Bounds.tags) ?? [])
                .enumerated()
            {
                guard let tag = text(item, at: "\(path).tags[\(index)]", bytes: 1...JobFile.Bounds.tagBytes) else {
                    continue
                }
                if !runner.tags.contains(tag) { runner.tags.append(tag) }
            }
            runner.tags.sort()
        }
        if let value = map["run_untagged"] {
            runner.runUntagged = bool(value, at: "\(path).run_untagged") ?? false
        }
        if let value = map["registration"],
            let registration = word(value, at: "\(path).registration", ProjectRunner.Registration.self)
        {
            runner.registration = registration
        }
        if let value = map["protected_only"] {
            runner.protectedOnly = bool(value, at: "\(path).protected_only") ?? false
        }
        if let value = map["images"] {
            let found = problems.count
            runner.images = images(value, at: "\(path).images")
            if let image = map["image"], problems.count == found,
                !ImagePattern.admits(runner.images, runner.job.image)
            {
                report("\(path).image", image.place, "is not in `images`; list it there, too")
            }
        }
        if runner.tags.isEmpty, !runner.runUntagged {
            report(path, value.place, "takes no job: give it `tags`, or `run_untagged: true`")
        }
        return runner
    }

    /// In one order, each once: two lists that say the same are the same rule.
    private mutating func images(_ value: SpecValue, at path: String) -> [ImagePattern] {
        let items = list(value, at: path, of: "images", limit: ProjectRunner.imagesAtMost) ?? []
        if items.isEmpty, case .list = value.content {
            report(path, value.place, "is empty; leave it out if any image will do")
        }
        var found: [String] = []
        for (index, item) in items.enumerated() {
            let place = "\(path)[\(index)]"
            guard let text = text(item, at: place, bytes: 1...JobFile.Bounds.imageBytes) else { continue }
            let name = text.utf8.last == UInt8(ascii: "*") ? String(text.dropLast()) : text
            guard JobFile.isImageName(name) else {
                report(place, item.place, "is not an image name; write it whole, or its beginning and a `*`")
                continue
            }
            if !found.contains(text) { found.append(text) }
        }
        return found.sorted().map { ImagePattern($0) }
    }
}

extension ProjectRunner {
    /// `SpecReader.runner` reads the same from it.
    var document: SpecValue {
        guard case .map(let entries) = job.document.content else { return SpecValue(.null) }
        var map = DocumentMap()
        map.add("tags", tags.isEmpty ? nil : .texts(tags))
        map.add("run_untagged", runUntagged ? SpecValue(.bool(true)) : nil)
        map.add("registration", registration == .pool ? nil : .text(registration.rawValue))
        map.add("protected_only", protectedOnly ? SpecValue(.bool(true)) : nil)
        map.add("images", images.isEmpty ? nil : .texts(images.map(\.text)))
        for entry in entries where !["name", "project", "steps"].contains(entry.key) { map.add(entry.key, entry.value) }
        return map.value
    }
}
