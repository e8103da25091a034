// SourceNames: what git tracks, or does not ignore, of a directory. The directory may be a stranger's, cloned or
// unpacked to be looked at: git is run so that nothing of its own configuration is started, and what its index names
// is not believed.

import Foundation

enum SourceNames {
    /// NUL-separated; nil where `directory` is in no repository. One that git refuses is not packed as a whole: that
    /// would take with it what its owner has git ignore.
    static func fromGit(_ directory: String) throws -> Data? {
        guard isInRepository(directory) else { return nil }
        let listed: Data
        do {
            let top = String(decoding: try git(directory, ["rev-parse", "--show-toplevel"]).dropLast(), as: UTF8.self)
            let own = resolved(directory).path
            // Its configuration can put the work tree anywhere.
            guard own == top || top == "/" || own.hasPrefix(top + "/") else {
                throw CommandFailure("the work tree of its repository is \(top)", exit: .failure)
            }
            listed = try git(
                directory, ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
        } catch let failure as CommandFailure {
            throw CommandFailure(
                "\(failure.description); \(directory) is in a repository, so git must be able to list it; a copy "
                    + "outside of any repository is packed whole", exit: .failure)
        }
        var names = Data()
        var folders: [String: Bool] = ["": true]
        for name in listed.split(separator: 0) {
            let text = String(decoding: name, as: UTF8.self)
            try check(text, directory)
            // Tracked but deleted in the work tree, or behind what is a link by now: git still lists it. A dangling
            // link is kept as a link.
            let parent = text.lastIndex(of: "/").map { String(text[..<$0]) } ?? ""
            guard isFolder(parent, directory, &folders), kind(directory + "/" + text) != nil else { continue }
            names.append(contentsOf: name + [0])
        }
        return names
    }

    /// No `-c` is overruled by the repository's configuration, nor by what that includes. Programs it could name are
    /// those of fsmonitor, of hooks, of a pager, and of a remote from which missing objects would be fetched; and a
    /// subfolder that happens to be a bare repository could bring a configuration of its own.
    private static func git(_ directory: String, _ arguments: [String]) throws -> Data {
        let harmless = [
            "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.attributesFile=/dev/null",
            "safe.bareRepository=explicit", "protocol.allow=never", "credential.helper=",
        ]
        // A caller's own (a hook's GIT_DIR, say) would have another repository listed.
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
        environment["GIT_ALLOW_PROTOCOL"] = "none"
        environment["GIT_NO_LAZY_FETCH"] = "1"
        environment["GIT_OPTIONAL_LOCKS"] = "0"
        environment["GIT_TERMINAL_PROMPT"] = "0"
        let options = ["--no-pager", "-C", directory] + harmless.flatMap { ["-c", $0] }
        return try Tool.run("git", options + arguments, environment: environment)
    }

    private static func resolved(_ directory: String) -> URL {
        URL(fileURLWithPath: directory).resolvingSymlinksInPath().standardizedFileURL
    }

    /// git's own way of finding one: `.git` here or in a folder above.
    private static func isInRepository(_ directory: String) -> Bool {
        var folder = resolved(directory)
        while kind(folder.path + "/.git") == nil {
            if folder.path == "/" { return false }
            folder.deleteLastPathComponent()
        }
        return true
    }

    /// An index that somebody else has written may name files outside of the directory.
    private static func check(_ name: String, _ directory: String) throws {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        if parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.lowercased() == ".git" }) {
            throw CommandFailure(
                "git lists '\(Terminal.printable(name))' in \(directory), which no repository should have",
                exit: .failure)
        }
    }

    /// A folder of the directory's own, through no link.
    private static func isFolder(_ name: String, _ directory: String, _ known: inout [String: Bool]) -> Bool {
        if let isFolder = known[name] { return isFolder }
        let parent = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
        let result = isFolder(parent, directory, &known) && kind(directory + "/" + name) == .typeDirectory
        known[name] = result
        return result
    }

    /// Of what is there itself, not of what it links to.
    private static func kind(_ path: String) -> FileAttributeType? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
    }
}
