// `submit --source` in a directory that is a stranger's: git lists it, and nothing that the stranger's configuration
// names is started. Each trap is first sprung by git as it is, so that it is known to be one.

import BulkheadCLI
import Foundation
import Testing

@Suite struct SourceTests {
    private let folder: TestFolder
    private let source: String
    /// Touched by whatever is started that should not be.
    private let marker: String
    private var trap: String { "touch \(marker); false" }

    init() throws {
        folder = try TestFolder()
        source = try folder.make("source")
        marker = folder.path + "/started"
        try git("init", "--quiet")
        try folder.write("source/kept", "x")
        try git("add", "kept")
    }

    @discardableResult private func git(_ arguments: String..., at directory: String? = nil) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", directory ?? source] + arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Names in the archive.
    private func packed(_ directory: String? = nil) throws -> [String] {
        let archive = try SourceArchive(of: directory ?? source)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "--list", "--file", archive.file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: "\n").map(String.init).sorted()
    }

    /// git itself falls into the trap with these arguments, and packing does not.
    private func expectHarmless(at directory: String? = nil, _ arguments: [String], packs: [String]?) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", directory ?? source] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(folder.has("started"), "the trap does not work, so nothing is shown")
        try? FileManager.default.removeItem(atPath: marker)
        if let packs {
            #expect(try packed(directory) == packs)
        } else {
            #expect(throws: CommandFailure.self) { try packed(directory) }
        }
        #expect(!folder.has("started"))
    }

    private static let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]

    @Test func whatIsTrackedOrNotIgnoredIsPacked() throws {
        try folder.write("source/.gitignore", "secret\n")
        try folder.write("source/secret", "x")
        try folder.write("source/new", "x")
        #expect(try packed() == [".gitignore", "kept", "new"])
    }

    @Test func whatIsInNoRepositoryIsPackedWhole() throws {
        _ = try folder.make("plain/sub")
        try folder.write("plain/sub/file", "x")
        #expect(try packed(folder.path + "/plain") == ["./", "./sub/", "./sub/file"])
    }

    @Test func aProgramThatWatchesFilesIsNotStarted() throws {
        try git("config", "core.fsmonitor", trap)
        try expectHarmless(Self.list, packs: ["kept"])
    }

    @Test func anIncludedConfigurationIsNoneTheBetter() throws {
        try folder.write("source/.git/more", "[core]\n\tfsmonitor = \"\(trap)\"\n")
        try git("config", "include.path", "more")
        try expectHarmless(Self.list, packs: ["kept"])
    }

    @Test func aBareRepositoryInAFolderIsNoRepository() throws {
        let inner = try folder.make("source/sub")
        try git("init", "--quiet", "--bare", at: inner)
        try git("config", "--file", inner + "/config", "core.bare", "false")
        try git("config", "--file", inner + "/config", "core.worktree", inner)
        try git("config", "--file", inner + "/config", "core.fsmonitor", trap)
        try expectHarmless(at: inner, Self.list, packs: nil)
    }

    @Test func aHookIsNotStarted() throws {
        let hooks = try folder.make("source/.git/hooks")
        try folder.write("source/.git/hooks/post-index-change", "#!/bin/sh\n\(trap)\n", mode: 0o700)
        try git("config", "core.hooksPath", hooks)
        // Listing writes no index of itself; whatever does so springs it.
        try expectHarmless(["update-index", "--force-write-index"], packs: ["kept"])
    }

    /// An ignore file that is only in the index, whose bytes a remote would have to be asked for.
    @Test func nothingIsFetched() throws {
        try git("update-index", "--add", "--cacheinfo", "100644,\(String(repeating: "1", count: 40)),.gitignore")
        try git("update-index", "--skip-worktree", ".gitignore")
        try git("config", "core.repositoryFormatVersion", "1")
        try git("config", "extensions.partialClone", "origin")
        try git("config", "remote.origin.promisor", "true")
        try git("config", "remote.origin.url", folder.path + "/nowhere")
        try git("config", "remote.origin.uploadpack", trap + ";")
        try git("config", "protocol.file.allow", "always")
        // Only for one that is not tracked is it asked what to ignore.
        try folder.write("source/new", "x")
        try expectHarmless(Self.list, packs: ["kept", "new"])
    }

    @Test func whatGitRefusesIsNotPackedWhole() throws {
        try folder.write("source/.git/HEAD", "nonsense")
        #expect(throws: CommandFailure.self) { try packed() }
        // A work tree that is elsewhere.
        try folder.write("source/.git/HEAD", "ref: refs/heads/main\n")
        try git("config", "core.worktree", try folder.make("elsewhere"))
        #expect(throws: CommandFailure.self) { try packed() }
    }

    @Test func whatAnIndexNamesOutsideIsNotPacked() throws {
        _ = try folder.make("others")
        try folder.write("others/file", "x")
        _ = try folder.make("source/link")
        try folder.write("source/link/file", "x")
        try git("add", "link/file")
        #expect(try packed() == ["kept", "link/file"])
        try FileManager.default.removeItem(atPath: source + "/link")
        try FileManager.default.createSymbolicLink(
            atPath: source + "/link", withDestinationPath: folder.path + "/others")
        #expect(try packed() == ["kept", "link"])
    }

    /// git adds no such name; who writes the index by hand can.
    @Test func aNameThatLeavesTheDirectoryIsRefused() throws {
        try folder.write("source/aaaaaaa", "x")
        try git("add", "aaaaaaa")
        var index = try Data(contentsOf: URL(fileURLWithPath: source + "/.git/index"))
        let name = try #require(index.range(of: Data("aaaaaaa".utf8)))
        index.replaceSubrange(name, with: Data("../outs".utf8))
        try index.write(to: URL(fileURLWithPath: source + "/.git/index"))
        try folder.write("outs", "x")
        let failure = #expect(throws: CommandFailure.self) { try packed() }
        #expect(failure?.description.contains("'../outs'") == true)
    }
}
